"""What was erased stays erased: windows of a time that come again are acknowledged and not stored.

The broker keeps a room's newest window, and a device those of days; both may send them after the
erasure, and a database that was put back may have them still.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, insert, or_, select
from sqlalchemy.exc import SQLAlchemyError

from collector.storage.erasure_notes import Erasure, ErasureNotes
from collector.storage.store import LONGEST_WINDOW
from collector.storage.tables import erasures, moods
from edge.protocol.erasure import Span
from edge.protocol.messages import Mood

FRESH_S = 30.0
"""After which it is looked whether a command beside the collector has erased something."""

Room = tuple[str, str]


class Erasures:
    """Of one database, and of the notes in the collector's own folder; safe to use from several
    threads."""

    def __init__(self, engine: Engine, state: Path | None = None) -> None:
        self.engine = engine
        self.notes = ErasureNotes(state) if state is not None else None
        self._lock = threading.Lock()
        self._spans: dict[Room, list[Erasure]] = {}
        self._read = float("-inf")

    def note(self, new_erasures: Sequence[Erasure]) -> None:
        """Before anything else: whatever is killed after this, the next start goes on with it."""
        if self.notes is not None:
            self.notes.add(new_erasures)

    def add(self, connection: Connection, new_erasures: Sequence[Erasure]) -> None:
        """To the database, in a transaction; `refresh` follows its end."""
        rows = [one._asdict() | {"at": time.time()} for one in new_erasures]
        connection.execute(insert(erasures), rows)

    def refresh(self) -> None:
        """Knows at once what is in the database now."""
        with self._lock:
            self._load()

    def covers(self, mood: Mood) -> bool:
        """Whether a window is of a time of its room that was erased."""
        return any(one.covers(mood) for one in self._of(mood.site, mood.room))

    def spans(self, site: str, room: str) -> list[Span]:
        """A room's times that were erased."""
        return [(one.begin, one.end) for one in self._of(site, room) if one.boot is None]

    def all(self) -> dict[Room, list[Erasure]]:
        with self._lock:
            self._look()
            return dict(self._spans)

    def read(self, within: Connection | None = None) -> list[Erasure]:
        """As the database has them, or a transaction of it."""
        columns = (erasures.c[name] for name in Erasure._fields)
        query = select(*columns).order_by(erasures.c.id)
        with nullcontext(within) if within is not None else self.engine.connect() as connection:
            return [Erasure(*row) for row in connection.execute(query)]

    def _of(self, site: str, room: str) -> Sequence[Erasure]:
        with self._lock:
            self._look()
            return self._spans.get((site, room), ())

    def _look(self) -> None:
        if time.monotonic() - self._read <= FRESH_S:
            return
        try:
            self._load()
        except SQLAlchemyError:
            if self._read == float("-inf"):
                raise
            # What was read before holds; while the database does not answer nothing is stored.

    def _load(self) -> None:
        spans: dict[Room, list[Erasure]] = defaultdict(list)
        for one in self.read():
            spans[one.site, one.room].append(one)
        self._spans, self._read = dict(spans), time.monotonic()


def tells_of(body: str, one: Erasure) -> bool:
    """Whether an event for other systems is about what was erased: by the start of its lesson, or
    by when it happened."""
    event = json.loads(body)
    about = event.get("data", {})
    if (about.get("site"), about.get("room")) != (one.site, one.room) or one.boot is not None:
        return False
    try:
        at = str(about.get("start") or event["timestamp"]).replace("Z", "+00:00")
        return one.begin - 0.001 <= datetime.fromisoformat(at).timestamp() < one.end
    except (KeyError, ValueError):
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
