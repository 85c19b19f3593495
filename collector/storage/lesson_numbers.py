"""Lessons' numbers, none of which is given twice: whoever erases a lesson by its number a second
time must not erase another.

PostgreSQL counts by itself. SQLite gives the highest number again once its lesson is gone, so the
highest that ever was is kept before lessons are deleted.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from collector.storage.tables import lessons, settings

KEY = "lesson number"
"""In the table of settings."""


def highest(connection: Connection) -> int:
    """That was ever given; 0 before the first lesson."""
    noted_number = connection.execute(
        select(settings.c.value).where(settings.c.key == KEY)
    ).scalar()
    newest = connection.execute(select(func.max(lessons.c.id))).scalar()
    return max(noted_number if isinstance(noted_number, int) else 0, newest or 0)


def keep(connection: Connection) -> None:
    """To be called in each transaction that deletes lessons, before it does."""
    number = highest(connection)
    insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = insert(settings).values(key=KEY, value=number)
    connection.execute(row.on_conflict_do_update(index_elements=["key"], set_={"value": number}))


def number_for_new(connection: Connection) -> dict[str, int]:
    """As a column's value; nothing where the database counts by itself. In a transaction that
    nobody else writes in."""
    return {"id": highest(connection) + 1} if connection.dialect.name == "sqlite" else {}


def mend(connection: Connection) -> None:
    """PostgreSQL's own counter, after rows were put in with their numbers."""
    counter = func.pg_get_serial_sequence("lesson", "id")
    connection.execute(select(func.setval(counter, highest(connection) + 1, False)))
