"""Keeps windows: each one once, whatever is sent again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    delete,
    event,
    func,
    inspect,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from edge.errors import Refusal
from edge.mood import Mood

metadata = MetaData()

moods = Table(
    "mood",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site", String(32), nullable=False),
    Column("room", String(32), nullable=False),
    Column("device", String(32), nullable=False),
    Column("boot", String(36), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("start", Float, nullable=False),  # seconds since 1970, UTC
    Column("seconds", Float, nullable=False),
    Column("clock", String(8), nullable=False),
    Column("frames", Integer, nullable=False),
    Column("faces", Integer),
    Column("counts", JSON(none_as_null=True)),
    Column("withheld", String(16)),
    Column("model", String(12), nullable=False),
    Column("windows", Integer, nullable=False, server_default="1"),
    Column("received", Float, nullable=False),  # seconds since 1970, by the collector's clock
    UniqueConstraint("device", "boot", "seq"),
    Index("mood_by_time", "site", "room", "start"),
)


class Kept(NamedTuple):
    """A stored window, and when the collector received it (seconds since 1970)."""

    mood: Mood
    received: float


class Store:
    """One database; safe to use from several threads."""

    def __init__(self, url: str) -> None:
        self._shown = make_url(url).render_as_string(hide_password=True)
        try:
            self._engine: Engine = create_engine(url)
            if self._engine.dialect.name == "sqlite":
                event.listen(self._engine, "connect", _prepare_sqlite)
            metadata.create_all(self._engine)
            _bring_up_to_date(self._engine)
        except (SQLAlchemyError, ImportError) as error:
            reason = str(error).splitlines()[0]
            raise Refusal(f"database {self._shown}: {reason}: check 'database'") from None
        insert = sqlite.insert if self._engine.dialect.name == "sqlite" else postgresql.insert
        self._insert: Any = insert(moods).on_conflict_do_nothing().returning(moods.c.id)

    def add(self, received: Sequence[Mood]) -> list[Mood]:
        """Commits windows in one transaction; returns those that were not yet stored.

        A window that stands for several takes the place of those that came before they were
        merged; one of those that comes late is stored already.
        """
        now = time.time()
        with self._engine.begin() as connection:
            return [mood for mood in received if self._add(connection, mood, now)]

    def _add(self, connection: Connection, mood: Mood, now: float) -> bool:
        first = mood.seq - mood.windows + 1
        ours = (moods.c.device == mood.device) & (moods.c.boot == str(mood.boot))
        query = (
            select(moods.c.seq, moods.c.windows)
            .where(ours, moods.c.seq >= mood.seq)
            .order_by(moods.c.seq)
            .limit(1)
        )
        kept = connection.execute(query).first()
        if kept is not None and kept.seq - kept.windows + 1 <= first:
            return False
        if mood.windows > 1:
            connection.execute(delete(moods).where(ours, moods.c.seq.between(first, mood.seq)))
        return connection.execute(self._insert, _row(mood, now)).first() is not None

    def between(
        self, site: str, room: str, begin: datetime, end: datetime, limit: int = 10_000
    ) -> list[Mood]:
        """Windows that start from `begin` up to `end`, oldest first; the newest `limit`."""
        query = (
            select(moods)
            .where(moods.c.site == site, moods.c.room == room)
            .where(moods.c.start >= begin.timestamp(), moods.c.start < end.timestamp())
            .order_by(moods.c.start.desc(), moods.c.id.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [_mood(row) for row in reversed(connection.execute(query).mappings().all())]

    def latest(self) -> list[Kept]:
        """The newest window of every room: the last of the run of which something came last.

        What came last may be a backlog, whose windows come after newer ones.
        """
        last = select(func.max(moods.c.id)).group_by(moods.c.site, moods.c.room)
        run = moods.alias()
        newest = (
            select(func.max(moods.c.seq), moods.c.device, moods.c.boot)
            .join(run, (run.c.device == moods.c.device) & (run.c.boot == moods.c.boot))
            .where(run.c.id.in_(last))
            .group_by(moods.c.device, moods.c.boot)
        )
        ours = tuple_(moods.c.seq, moods.c.device, moods.c.boot)
        with self._engine.connect() as connection:
            rows = connection.execute(select(moods).where(ours.in_(newest))).mappings()
            return [Kept(_mood(row), row["received"]) for row in rows]

    def ping(self) -> None:
        """Raises SQLAlchemyError when the database does not answer."""
        with self._engine.connect() as connection:
            connection.execute(select(1))

    def close(self) -> None:
        self._engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")  # acknowledged means on disk
    connection.execute("PRAGMA busy_timeout=5000")


def _bring_up_to_date(engine: Engine) -> None:
    """Gives a database of an earlier version what it lacks: a column, and PostgreSQL large numbers.

    SQLite's integers are large in any case.
    """
    columns = {column["name"]: column["type"] for column in inspect(engine).get_columns("mood")}
    with engine.begin() as connection:
        if "windows" not in columns:
            connection.execute(
                text("ALTER TABLE mood ADD COLUMN windows INTEGER NOT NULL DEFAULT 1")
            )
        if engine.dialect.name != "sqlite" and not isinstance(columns["seq"], BigInteger):
            connection.execute(text("ALTER TABLE mood ALTER COLUMN seq TYPE BIGINT"))


def _row(mood: Mood, received: float) -> dict[str, Any]:
    row = mood.model_dump(exclude={"schema_"}) | {"windows": mood.windows}
    return row | {"boot": str(mood.boot), "start": mood.start.timestamp(), "received": received}


def _mood(row: Any) -> Mood:
    fields = {key: row[key] for key in row if key not in ("id", "received")}
    fields["start"] = datetime.fromtimestamp(row["start"], timezone.utc)
    return Mood.model_validate({"schema": "roommood.mood/1", **fields})
