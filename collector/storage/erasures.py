"""What was erased stays erased: windows of a time that come again are acknowledged and not stored.

The broker keeps a room's newest window, and a device those of days; both may send them after the
erasure, and a database that was put back may have them still.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, func, insert, or_, select

from collector.storage.erasure_notes import FILE, REMEDY, Erasure, ErasureNotes, erasure_of
from collector.storage.store import LONGEST_WINDOW
from collector.storage.tables import erasures, moods
from edge.protocol.erasure import Span
from edge.protocol.messages import Mood

log = logging.getLogger(__name__)

Room = tuple[str, str]

AHEAD_S = 60.0
"""By which an erasure may end after now: clocks are set by less than that all the time."""

STATE = select(func.count(), func.coalesce(func.max(erasures.c.id), 0))
"""Changes with every erasure, of whatever number: those of two commands may come out of order."""


class Erasures:
    """Of one database, and of the notes in the collector's own folder; safe to use from several
    threads.

    What is asked of it is answered from memory, so that whoever must not wait for the database may
    ask: the network's thread, and who holds a lock. What this object erases is known from the
    moment it is noted. What a command beside the collector erases is known once `recheck` has run:
    a worker calls it every few seconds, and whoever commits windows after that commit.
    """

    def __init__(self, engine: Engine, state: Path | None = None) -> None:
        self.engine = engine
        self.notes = ErasureNotes(state) if state is not None else None
        self._asking, self._lock = threading.Lock(), threading.Lock()
        self._in_database: list[Erasure] = []
        self._state = (0, 0)
        self._own: list[Erasure] = []
        self._spans: dict[Room, list[Erasure]] = {}
        self._odd_rows: set[int] = set()
        self.problem = ""
        """What keeps the notes from being whole, as `read_notes` met it last, or nothing."""
        self.refresh()

    def note(self, new_erasures: Sequence[Erasure]) -> None:
        """Before anything else: whatever is killed after this, the next start goes on with it."""
        if self.notes is not None:
            self.notes.add(new_erasures)
        with self._lock:
            self._own += new_erasures
            self._publish()

    def read_notes(self) -> list[Erasure]:
        """What can be read of the notes; the rest is said, and keeps nothing from going on."""
        content = self.notes.content() if self.notes is not None else None
        if content is None or self.notes is None:
            return []
        if content.problem:
            log.error("%s: %s: %s", self.notes.path, content.problem, REMEDY)
        hint = "the collector's log says what to do; then restart it"
        self.problem = f"{FILE}: {content.problem}: {hint}" if content.problem else ""
        return content.erasures

    def add(self, connection: Connection, new_erasures: Sequence[Erasure]) -> None:
        """To the database, in a transaction; `refresh` follows its end."""
        rows = [one._asdict() | {"at": time.time()} for one in new_erasures]
        connection.execute(insert(erasures), rows)

    def refresh(self) -> None:
        """Knows at once what is in the database now."""
        with self.engine.connect() as connection, self._asking:
            self._load(connection)

    def recheck(self, within: Connection | None = None) -> None:
        """The same, where the database has others than were known; cheap where it has not.

        Raises SQLAlchemyError where it does not answer.
        """
        source = nullcontext(within) if within is not None else self.engine.connect()
        with source as connection, self._asking:
            if tuple(connection.execute(STATE).one()) != self._state:
                self._load(connection)

    def end_at(self, now: float) -> int:
        """Lets those that reach past a moment end there; returns how many.

        They were made while our clock was ahead: they would take what has not been measured yet.
        """
        corrections = {
            one: one._replace(begin=min(one.begin, now), end=now)
            for one in self.read()
            if one.boot is None and one.end > now + AHEAD_S
        }
        if not corrections:
            return 0
        with self.engine.begin() as connection:
            for one in corrections:
                fields = one._asdict().items()
                same = [
                    erasures.c[n].is_(None) if v is None else erasures.c[n] == v for n, v in fields
                ]
                connection.execute(delete(erasures).where(*same))
            self.add(connection, list(corrections.values()))
        if self.notes is not None:
            self.notes.replace(corrections)
        with self._lock:
            self._own = [corrections.get(one, one) for one in self._own]
        self.refresh()
        return len(corrections)

    def covers(self, mood: Mood) -> bool:
        """Whether a window is of a time of its room that was erased."""
        return any(one.covers(mood) for one in self._spans.get((mood.site, mood.room), ()))

    def among(self, windows: Sequence[Mood]) -> list[Mood]:
        """Those that were erased, as the database has it at this moment.

        Asked after their commit, this misses none: an erasure is in the database before it looks
        for windows to delete, so that either we see it, or it sees them.
        """
        self.recheck()
        return [mood for mood in windows if self.covers(mood)]

    def spans(self, site: str, room: str) -> list[Span]:
        """A room's times that were erased."""
        here = self._spans.get((site, room), ())
        return [(one.begin, one.end) for one in here if one.boot is None]

    def all(self) -> dict[Room, list[Erasure]]:
        return dict(self._spans)

    def read(self, within: Connection | None = None) -> list[Erasure]:
        """As the database has them, or a transaction of it."""
        columns = (erasures.c[name] for name in ("id", *Erasure._fields))
        query = select(*columns).order_by(erasures.c.id)
        with nullcontext(within) if within is not None else self.engine.connect() as connection:
            rows = connection.execute(query).all()
        return [one for row in rows if (one := self._of_row(row)) is not None]

    def _of_row(self, row: Any) -> Erasure | None:
        """None for one that somebody changed: it keeps no other from being known."""
        try:
            return erasure_of({name: getattr(row, name) for name in Erasure._fields})
        except ValueError as error:
            if row.id not in self._odd_rows:
                self._odd_rows.add(row.id)
                log.error("database: erasure %s cannot be read (%s)", row.id, error)
            return None

    def _load(self, connection: Connection) -> None:
        state = tuple(connection.execute(STATE).one())
        rows = self.read(connection)  # may have more by now: then the next look reads it again
        with self._lock:
            self._in_database, self._state = rows, state
            self._publish()

    def _publish(self) -> None:
        """A new answer in place of the old one, whole, for those who read it without a lock."""
        spans: dict[Room, list[Erasure]] = defaultdict(list)
        for one in dict.fromkeys([*self._in_database, *self._own]):
            spans[one.site, one.room].append(one)
        self._spans = dict(spans)


def tells_of(body: str, one: Erasure) -> bool:
    """Whether an event for other systems is about what was erased: by the start of its lesson, or
    by when it happened."""
    try:
        event = json.loads(body)
        about = event.get("data", {})
        about.get("site")
    except (ValueError, AttributeError, RecursionError):
        return True  # nobody knows of what, and nobody can be told
    if (about.get("site"), about.get("room")) != (one.site, one.room) or one.boot is not None:
        return False
    try:
        at = str(about.get("start") or event["timestamp"]).replace("Z", "+00:00")
        return one.begin - 0.001 <= datetime.fromisoformat(at).timestamp() < one.end
    except (KeyError, ValueError, OverflowError):
        return True  # nobody knows when


def window_conditions(one: Erasure) -> tuple[ColumnElement[bool], ...]:
    """Conditions for the stored windows that an erasure covers, by index, as `covers` has it."""
    room: tuple[Any, ...] = (moods.c.site == one.site, moods.c.room == one.room)
    if one.boot is not None:
        return *room, moods.c.boot == one.boot, moods.c.seq <= one.seq
    since = one.begin - LONGEST_WINDOW.total_seconds()
    reaches = and_(moods.c.windows > 1, moods.c.start + moods.c.seconds > one.begin)
    within = or_(moods.c.start >= one.begin, reaches)
    return *room, moods.c.start >= since, moods.c.start < one.end, within
