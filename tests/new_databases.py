"""New databases of SQLite without the migrations' work each time: hundreds of tests want one.

What the migrations make is asked of them once in each of pytest's workers, as SQL, and said again
for every other empty database, in one transaction as theirs is. Older databases, PostgreSQL, and
the processes that tests start go the long way; so do tests that call `upgrade` by its own name.
"""

from __future__ import annotations

import sqlite3
from functools import cache

from sqlalchemy import Connection, Engine, StaticPool, create_engine

from collector.storage import database

upgrade = database.upgrade


@cache
def statements() -> tuple[str, ...]:
    """What makes the tables, indexes and triggers of today, and says which revision they are."""
    with sqlite3.connect(":memory:", check_same_thread=False) as model:
        upgrade(create_engine("sqlite://", creator=lambda: model, poolclass=StaticPool))
        return tuple(one for one in model.iterdump() if not one.startswith(("BEGIN", "COMMIT")))


def upgrade_quickly(engine: Engine, to: str = "head") -> None:
    """In place of `collector.storage.database.upgrade`."""
    if to == "head" and engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            empty = is_empty(connection)
        if empty:
            every = statements()
            with database.begin(engine) as connection:
                if is_empty(connection):  # still, now that nobody else writes
                    for one in every:
                        connection.exec_driver_sql(one)
    upgrade(engine, to)


def is_empty(connection: Connection) -> bool:
    return connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() == 0
