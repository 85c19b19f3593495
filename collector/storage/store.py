"""Keeps windows: each one once, whatever is sent again."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    delete,
    func,
    literal_column,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite

from collector.storage.stepping import newest_query, rooms_query
from collector.storage.tables import moods
from edge.common.worker import first_line
from edge.protocol.messages import Mood

log = logging.getLogger(__name__)

FIELDS = tuple(name for name in Mood.model_fields if name != "schema_")

RUN = (moods.c.site, moods.c.room, moods.c.device, moods.c.boot)
"""One run of the agent in one room. The broker lets a device write to its own room's topic alone,
so that what a message says besides counts within that room only."""

IDENTITY = (*RUN, moods.c.seq)
"""A window's."""

IS_MERGE = moods.c.windows > literal_column("1")
"""Written out: PostgreSQL plans a statement that is prepared for any number, and for any number the
index of merged windows is none. It then read every window of every run that sent one, so that
storing fell behind the larger the database was."""

SLACK_S = 60.0
"""By which the times of a merged window and its parts may differ: edge/outbox/merge.py bears gaps
of a few seconds each time that it puts two together."""

LONGEST_WINDOW = timedelta(hours=1)
"""As in edge/outbox/merge.py, which makes none longer."""

ROWS = 200
"""In one statement."""

PART = 500
"""Of an answer that is given some windows at a time."""

ROWS_A_ROOM = 20_000
"""For the pages; as many as in three hours there cannot be."""

MOST = 100_000
"""Windows of one lesson: a day of them."""

SET_BACK_S = 2 * 86_400.0
"""By which our own clock may have been set back; if it is more, it was wrong before."""

AHEAD_S = 3600.0
"""By which a device's clock may be ahead of ours before its windows are none of their time. IT is
told of two minutes (`collector/fleet/diagnosis.py`), and of an hour our own is in doubt."""


class StoredWindow(NamedTuple):
    """A stored window, and when the collector received it (seconds since 1970)."""

    mood: Mood
    received: float


class StoredSummary(NamedTuple):
    """Of a stored window as much as pages draw, unchecked."""

    boot: str
    seq: int
    received: float
    start: float
    seconds: float
    faces: int | None
    counts: Any
    withheld: str | None
    model: str


class WindowPosition(NamedTuple):
    """One window's among those of its room."""

    start: float
    id: int


class Store:
    """The windows of one database; safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._clock = threading.Lock()
        self._newest, self._at = 0.0, time.monotonic()
        insert: Any = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
        self._insert_new = insert(moods).on_conflict_do_nothing().returning(*IDENTITY)

        names = [column.name for column in moods.columns if column.name != "id"]
        arrays = (f"CAST(:{n} AS {moods.c[n].type.compile(engine.dialect)}[])" for n in names)
        self._insert_arrays = text(
            f"INSERT INTO mood ({', '.join(names)}) SELECT * FROM unnest({', '.join(arrays)}) "  # noqa: S608  # our own names
            f"ON CONFLICT DO NOTHING RETURNING {', '.join(c.name for c in IDENTITY)}"
        )

    def add(self, windows: Sequence[Mood]) -> list[Mood]:
        """Commits windows in one transaction; returns those that were not yet stored.

        A window that stands for several takes the place of those that came before they were
        merged; one of those that comes late is stored already. Both only within its room and its
        time: whoever speaks for a room can neither take another's windows away, nor more of its own
        than a device counts in that time.
        """
        now = self._now()
        single = [mood for mood in windows if mood.windows == 1]
        multiple = [mood for mood in windows if mood.windows > 1]
        with self._engine.begin() as connection:
            new = [mood for mood in multiple if self._add_merge(connection, mood, now)]
            return new + self._add_single(connection, single, now)

    def remove(self, windows: Sequence[Mood]) -> None:
        """Deletes windows that were erased before they were stored."""
        with self._engine.begin() as connection:
            for mood in windows:
                connection.execute(delete(moods).where(tuple_(*IDENTITY) == _identity(mood)))

    def follows(self, arrival: float) -> None:
        """No window comes before one that came then."""
        with self._clock:
            self._newest = max(self._newest, arrival)

    def _now(self) -> float:
        """Seconds since 1970; it goes on from the last window where our clock was set back, since
        windows from before they came are of no lesson."""
        with self._clock:
            at, now = time.monotonic(), time.time()
            going_on = self._newest + at - self._at
            self._newest = going_on if now < going_on < now + SET_BACK_S else now
            self._at = at
            return self._newest

    def _add_single(self, connection: Connection, single: list[Mood], now: float) -> list[Mood]:
        """Many at once: a statement for each would not keep up with a thousand rooms."""
        duplicates = _identities_in_merges(connection, single)
        rows = {_identity(mood): mood for mood in single if _identity(mood) not in duplicates}
        order = sorted(rows)  # the same in every transaction, so that none waits for another
        new: list[Mood] = []
        for at in range(0, len(order), ROWS):
            part = [_row(rows[identity], now) for identity in order[at : at + ROWS]]
            for row in self._insert_many(connection, part):
                new.append(rows[tuple(row)])
        return sorted(new, key=_identity)

    def _insert_many(self, connection: Connection, part: list[dict[str, Any]]) -> list[Any]:
        """The identities of the rows that were new."""
        if self._engine.dialect.name == "sqlite":
            return list(connection.execute(self._insert_new, part))
        # psycopg reads a statement with thousands of values anew each time, which took more than
        # all the rest; a column's values as one array are one value.
        columns = {name: [row[name] for row in part] for name in part[0]}
        columns["counts"] = [None if c is None else json.dumps(c) for c in columns["counts"]]
        return list(connection.execute(self._insert_arrays, columns))

    def _add_merge(self, connection: Connection, mood: Mood, now: float) -> bool:
        first = mood.seq - mood.windows + 1
        ours = tuple_(*RUN) == _identity(mood)[:-1]
        query = (
            select(moods.c.seq, moods.c.windows)
            .where(ours, moods.c.seq >= mood.seq, *_within(mood, whole=False))
            .order_by(moods.c.seq)
            .limit(1)
        )
        row = connection.execute(query).first()
        if row is not None and row.seq - row.windows + 1 <= first:
            return False
        parts = (ours, moods.c.seq.between(first, mood.seq), *_within(mood, whole=True))
        connection.execute(delete(moods).where(*parts))
        return connection.execute(self._insert_new, _row(mood, now)).first() is not None

    def between(
        self, site: str, room: str, begin: datetime, end: datetime, limit: int = 10_000
    ) -> list[Mood]:
        """Windows that start from `begin` up to `end`, oldest first; the newest `limit`."""
        query = (
            select(moods)
            .where(*_starting(site, room, begin, end))
            .order_by(moods.c.start.desc(), moods.c.id.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            rows = list(connection.execute(query).mappings())
        return [row.mood for row in _readable(reversed(rows))]

    def oldest_of_page(
        self,
        site: str,
        room: str,
        begin: datetime,
        end: datetime,
        limit: int,
        before: WindowPosition | None = None,
    ) -> tuple[WindowPosition | None, bool]:
        """Where the newest `limit` windows before a place begin, None where there are fewer; and
        whether there are older ones."""
        place = tuple_(moods.c.start, moods.c.id)
        query = (
            select(moods.c.start, moods.c.id)
            .where(*_starting(site, room, begin, end))
            .order_by(moods.c.start.desc(), moods.c.id.desc())
            .offset(limit - 1)
            .limit(2)
        )
        if before is not None:
            query = query.where(moods.c.start <= before.start, place < before)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return (WindowPosition(*rows[0]) if rows else None), len(rows) == 2

    def in_parts(
        self,
        site: str,
        room: str,
        begin: datetime,
        end: datetime,
        first: WindowPosition | None = None,
        before: WindowPosition | None = None,
    ) -> Iterator[list[Mood]]:
        """Windows from a place up to another, oldest first, some at a time.

        Nothing is open between two parts: whoever takes them slowly holds up nobody.
        """
        place = tuple_(moods.c.start, moods.c.id)
        query = select(moods).where(*_starting(site, room, begin, end))
        if first is not None:
            query = query.where(moods.c.start >= first.start, place >= first)
        if before is not None:
            query = query.where(moods.c.start <= before.start, place < before)
        query = query.order_by(moods.c.start, moods.c.id).limit(PART)
        rest = query
        while True:
            with self._engine.connect() as connection:
                rows = list(connection.execute(rest).mappings())
            yield [row.mood for row in _readable(rows)]
            if len(rows) < PART:
                return
            last = WindowPosition(rows[-1]["start"], rows[-1]["id"])
            rest = query.where(moods.c.start >= last.start, place > last)

    def reaching(self, site: str, room: str, begin: datetime, end: datetime) -> list[Mood]:
        """All windows of a time, those that began before it and reach into it too.

        None that came before they began: its clock was ahead, and it is of another time.
        """
        query = (
            select(moods)
            .where(*_near(site, room, begin, end), moods.c.start <= moods.c.received + AHEAD_S)
            .order_by(moods.c.start.desc(), moods.c.id.desc())
            .limit(MOST)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            window.mood
            for window in _readable(reversed(rows))
            if window.mood.start + timedelta(seconds=window.mood.seconds) > begin
        ]

    def before(self, mood: Mood, seconds: float) -> list[StoredSummary]:
        """A room's other windows of so many seconds before one, oldest first; what pages draw of
        them, since a start reads those of all rooms."""
        start = mood.start.timestamp()
        query = (
            select(*(moods.c[name] for name in StoredSummary._fields))
            .where(moods.c.site == mood.site, moods.c.room == mood.room)
            .where(moods.c.start >= start - seconds, moods.c.start <= start)
            .order_by(moods.c.start, moods.c.id)
            .limit(ROWS_A_ROOM)
        )
        with self._engine.connect() as connection:
            summaries = [StoredSummary(*row) for row in connection.execute(query)]
        number = (str(mood.boot), mood.seq)
        others = (one for one in summaries if (one.boot, one.seq) != number)
        return [one for one in others if None not in (one.start, one.seconds, one.received)]

    def state(self, site: str, room: str, begin: datetime, end: datetime) -> tuple[int, int]:
        """Changes whenever what `reaching` gives does; much cheaper."""
        query = select(func.count(), func.coalesce(func.max(moods.c.id), 0))
        with self._engine.connect() as connection:
            count, last = connection.execute(query.where(*_near(site, room, begin, end))).one()
        return int(count), int(last)

    def latest(self) -> list[StoredWindow]:
        """The newest window of every room: the last, by number, of the run that is heard now.

        Windows dated ahead by a wrong clock do not hide those that came after them.
        """
        newest: dict[tuple[str, str], StoredWindow] = {}
        with self._engine.connect() as connection:
            rows = connection.execute(newest_query(time.time())).mappings().all()
        for window in _readable(sorted(rows, key=lambda row: int(row["id"]))):
            key = (window.mood.site, window.mood.room)
            if key not in newest or window.received >= newest[key].received:
                newest[key] = window
        return list(newest.values())

    def rooms(self) -> list[tuple[str, str]]:
        """(site, room) of those that have windows."""
        with self._engine.connect() as connection:
            return [(row.site, row.room) for row in connection.execute(rooms_query())]

    def ping(self) -> None:
        """Raises SQLAlchemyError when the database does not answer."""
        with self._engine.connect() as connection:
            connection.execute(select(1))


Identity = tuple[str, str, str, str, int]
"""As in IDENTITY."""


def _identity(mood: Mood) -> Identity:
    return mood.site, mood.room, mood.device, str(mood.boot), mood.seq


def _within(mood: Mood, *, whole: bool) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Stored windows that lie wholly in a merged one's time, or at least reach into it."""
    begin = mood.start.timestamp() - SLACK_S
    end = mood.start.timestamp() + mood.seconds + SLACK_S
    ends = moods.c.start + moods.c.seconds
    return (moods.c.start >= begin, ends <= end) if whole else (moods.c.start <= end, ends >= begin)


def _identities_in_merges(connection: Connection, single: Sequence[Mood]) -> set[Identity]:
    """Those of which a merged window, which is rare, tells already."""
    runs = sorted({_identity(mood)[:-1] for mood in single})
    if not runs:
        return set()
    query = select(*IDENTITY, moods.c.windows, moods.c.start, moods.c.seconds).where(
        tuple_(*RUN).in_(runs), IS_MERGE
    )
    spans = defaultdict(list)
    for *run, seq, windows, start, seconds in connection.execute(query):
        if start is not None and seconds is not None:
            spans[tuple(run)].append((seq, windows, start, seconds))
    return {
        _identity(mood)
        for mood in single
        for seq, windows, start, seconds in spans[_identity(mood)[:-1]]
        if seq - windows < mood.seq <= seq
        and -SLACK_S <= mood.start.timestamp() - start <= seconds + SLACK_S
    }


def _row(mood: Mood, arrival: float) -> dict[str, Any]:
    # By hand: pydantic's own takes a good part of the time that a window costs.
    row = {name: getattr(mood, name) for name in FIELDS}
    return row | {"boot": str(mood.boot), "start": mood.start.timestamp(), "received": arrival}


def _starting(
    site: str, room: str, begin: datetime, end: datetime
) -> tuple[ColumnElement[bool], ...]:
    ours = (moods.c.site == site, moods.c.room == room)
    return *ours, moods.c.start >= begin.timestamp(), moods.c.start < end.timestamp()


def _near(site: str, room: str, begin: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    """Windows that may reach into a time."""
    since = (begin - LONGEST_WINDOW).timestamp()
    ours = (moods.c.site == site, moods.c.room == room)
    return *ours, moods.c.start >= since, moods.c.start < end.timestamp()


def _readable(rows: Iterable[Any]) -> Iterator[StoredWindow]:
    """Windows of rows; one that somebody changed is left out and keeps no other from being read."""
    for row in rows:
        try:
            yield StoredWindow(_mood(row), float(row["received"]))
        except (ValueError, TypeError, OverflowError, OSError) as error:
            log.error("%s/%s: row %s: %s", row["site"], row["room"], row["id"], first_line(error))


def _mood(row: Any) -> Mood:
    fields = {key: row[key] for key in row if key not in ("id", "received")}
    fields["start"] = datetime.fromtimestamp(row["start"], timezone.utc)
    return Mood.model_validate({"schema": "roommood.mood/1", **fields})
