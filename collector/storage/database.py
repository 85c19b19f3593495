"""The database: opened, checked, and brought to the newest version of the tables."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from edge.common.address import mask
from edge.common.errors import UserError

MIGRATIONS = Path(__file__).parent / "migrations"


def connect(url: str) -> Engine:
    """An engine on tables that are up to date; raises UserError for a database that cannot be."""
    shown = mask(url)
    _keep_private(url)
    try:
        # A connection that the server ended meanwhile is replaced before anybody gets it.
        engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
        try:
            upgrade(engine)
        except BaseException:
            engine.dispose()
            raise
    except CommandError:
        raise UserError(
            "a newer roommood has used it",
            f"database {shown}",
            "install that version, or restore a backup",
        ) from None
    except (SQLAlchemyError, ImportError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(reason, f"database {shown}", "check 'database'") from None
    return engine


def _keep_private(url: str) -> None:
    """SQLite's file is its owner's alone from the first byte on; so are those that SQLite makes
    beside it, which get the permissions of the first."""
    place = make_url(url)
    name = place.database
    if place.get_backend_name() != "sqlite" or not name or name == ":memory:":
        return
    # Only where it is not there yet: closing any descriptor of a database's file drops the locks
    # that other connections of this process hold on it (sqlite.org/howtocorrupt.html, 2.2).
    with contextlib.suppress(OSError):
        os.close(os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with contextlib.suppress(OSError):  # where it cannot be, opening it says so
        for end in ("", "-wal", "-shm", "-journal"):
            if os.path.exists(name + end):
                os.chmod(name + end, 0o600)


def upgrade(engine: Engine, to: str = "head") -> None:
    """Runs the migrations that the database has not seen, in one transaction."""
    if to == "head" and revision(engine) == newest():
        return  # without a lock that commands beside a collector would wait for
    with begin(engine) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, to)


@contextmanager
def begin(
    engine: Engine, mode: Literal["IMMEDIATE", "DEFERRED"] = "IMMEDIATE"
) -> Iterator[Connection]:
    """One transaction, of tables that are made and changed too, and of all that is read.

    Python's own way with SQLite begins one before rows are changed and no sooner: what a killed
    upgrade had made would stay, and two reads would see different moments.
    """
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql(f"BEGIN {mode}")
        yield connection


def revision(engine: Engine) -> str | None:
    """Of the tables as they are; None for an empty database."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """The revision that this version of roommood works with."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")  # acknowledged means on disk
    connection.execute("PRAGMA busy_timeout=5000")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")  # what retention removes is overwritten
