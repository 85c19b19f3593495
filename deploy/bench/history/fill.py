"""A database with the windows of many days: as rows, many times faster than as messages."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from collector.storage.tables import moods

SITE = "school"
SECONDS = 15.0
COLUMNS = tuple(column.name for column in moods.columns if column.name != "id")
LABELS = ("happy", "neutral", "sad", "uncertain")
SAMPLES = 500
"""Different counts; what stands in them costs nothing and decides nothing."""


def room_name(number: int) -> str:
    return f"r{number + 1:04d}"


def rows(count: int, rooms: int, now: float, seed: int = 1) -> Iterator[tuple[Any, ...]]:
    """In the order in which they came: all rooms' windows of the same quarter of a minute, of a
    new run of the agent each day, the last of them a moment ago."""
    chance = random.Random(seed)  # nothing is kept secret by it
    samples = [[chance.randint(0, 9) for _ in LABELS] for _ in range(SAMPLES)]
    mixtures = [(sum(n), json.dumps(dict(zip(LABELS, n, strict=True)))) for n in samples]
    rounds = -(-count // rooms)
    for number in range(count):
        at, room = divmod(number, rooms)
        start = now - (rounds - at) * SECONDS
        day = int(start // 86_400)
        faces, counts = mixtures[(number * 7) % SAMPLES]
        name = room_name(room)
        boot = str(UUID(int=day << 64 | room))
        fields = (SITE, name, name, boot, at, start, SECONDS, "synced", 30, faces, counts)
        yield (*fields, None, "0123456789ab", 1, start + SECONDS)


def fill(engine: Engine, count: int, rooms: int, now: float) -> None:
    """Into empty tables that are up to date."""
    content = rows(count, rooms, now)
    names = ", ".join(COLUMNS)
    if engine.dialect.name == "sqlite":
        marks = ", ".join("?" for _ in COLUMNS)
        with sqlite3.connect(str(engine.url.database)) as db:
            db.execute("PRAGMA synchronous=OFF")  # nobody relies on it yet
            db.executemany(f"INSERT INTO mood ({names}) VALUES ({marks})", content)  # noqa: S608  # our own names
        db.close()
        with engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
        return
    with engine.begin() as connection:
        driver: Any = connection.connection.driver_connection
        with driver.cursor().copy(f"COPY mood ({names}) FROM STDIN") as copy:
            for row in content:
                copy.write_row(row)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE mood")
