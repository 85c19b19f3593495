"""The database: opened, checked, and brought to the newest version of the tables."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from edge.common.address import mask
from edge.common.errors import UserError
from edge.common.text import storable

MIGRATIONS = Path(__file__).parent / "migrations"

NEWEST = "0012"
"""The revision that this version of roommood works with. Written down, since Alembic, which only
an upgrade needs, would take a good part of the time of a start."""


class _NewerDatabase(Exception):
    """Of a revision that nobody here knows."""


DRIVERS_OF_LIBPQ = ("psycopg", "psycopg2")

NETWORK = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""Of libpq: a server that does not answer, or is gone without a word, is given up within half a
minute. What the database's address says of these counts instead."""

STATEMENT_S = 60
"""For one statement of the collector's, where the address has no `statement_timeout`; `patient` is
for what may take longer."""

RESTORE = "restore a backup into a new database: `roommood collector restore`"
UNLOCK = "end what else has it open (`fuser` names it); then do it again"
SPACE = "free space, or see who may write there; then do it again"
WRITABLE = "make it writable: its disk may be mounted read-only, or has gone so after a fault"
DAMAGE = ("malformed", "not a database", "corrupt", "invalid page")
"""As SQLite and PostgreSQL name it."""
FULL = ("disk is full", "no space left", "quota")
READ_ONLY = ("readonly", "read-only")
"""The same, in small letters."""
NO_ROOM = 64 * 1024
"""Bytes: what SQLite makes beside its file has none then."""

Limit = Callable[[float], str]
"""See limited_connection.py."""


def connect(url: str, limit: Limit | None = None) -> Engine:
    """An engine on tables that are up to date; raises UserError for a database that cannot be.

    With a `limit` it is the collector's: no statement lasts for longer than STATEMENT_S, nor is one
    waited for past the limit. Commands, for which somebody waits, do without.
    """
    safe_url = mask(url)
    _keep_private(url)
    try:
        # A connection that the server ended meanwhile is replaced before anybody gets it.
        engine = make_engine(url, limit, pool_pre_ping=not url.startswith("sqlite"))
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
        try:
            upgrade(engine)
        except BaseException:
            engine.dispose()
            raise
    except _NewerDatabase:
        raise UserError(
            "a newer roommood has used it",
            f"database {safe_url}",
            "install that version, or restore a backup",
        ) from None
    except (SQLAlchemyError, ImportError) as error:
        reason = reason_of(error)
        remedy = remedy_for(reason, disk_remedy(url, "check 'database'"))
        raise UserError(reason, f"database {safe_url}", remedy) from None
    return engine


def reason_of(error: Exception) -> str:
    """What the database says, without the driver's names; empty where it says nothing."""
    text_lines = str(getattr(error, "orig", None) or error).splitlines()
    return text_lines[0] if text_lines else ""


def remedy_for(reason: str, otherwise: str) -> str:
    """By what the database says."""
    if any(word in reason for word in DAMAGE):
        return RESTORE
    if any(word in reason.lower() for word in FULL):
        return SPACE
    if any(word in reason.lower() for word in READ_ONLY):
        return WRITABLE
    return UNLOCK if "locked" in reason else otherwise


def disk_remedy(url: str, otherwise: str) -> str:
    """By SQLite's disk, of which it often says no more than `disk I/O error`."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite" or not address.database:
        return otherwise
    try:
        disk = os.statvfs(Path(address.database).parent)
    except OSError:
        return otherwise
    if disk.f_flag & os.ST_RDONLY:
        return WRITABLE
    return SPACE if disk.f_bavail * disk.f_frsize < NO_ROOM else otherwise


def url_to_show(engine: Engine) -> str:
    """A database's address without any secret, wherever in it that stands."""
    return mask(engine.url.render_as_string(hide_password=False))


def make_engine(url: str | URL, limit: Limit | None = None, **options: Any) -> Engine:
    """As it is, whatever its tables are."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        engine = create_engine(address, **options)
        event.listen(engine, "before_cursor_execute", _make_storable, retval=True)
        return engine
    arguments: dict[str, Any] = {}
    if address.get_driver_name() in DRIVERS_OF_LIBPQ:
        arguments = {name: value for name, value in NETWORK.items() if name not in address.query}
    engine = create_engine(address, connect_args=arguments, **options)
    event.listen(engine, "before_cursor_execute", _make_storable, retval=True)
    if limit is None:
        return engine
    if "statement_timeout" not in str(address.query.get("options", "")):
        event.listen(engine, "connect", _limit_statements)
    event.listen(engine, "begin", _lift_limit)
    if engine.driver == "psycopg":
        from collector.storage.limited_connection import opener  # noqa: PLC0415  # psycopg is an extra

        event.listen(engine, "do_connect", opener(limit))
    return engine


def _make_storable(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any
) -> tuple[str, Any]:
    """Texts without what no database takes, wherever they come from: one of them would be refused
    with all that is written beside it."""
    return statement, _storable(parameters)


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {name: _storable(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_storable, value))
    return value


def patient(engine: Engine) -> Engine:
    """The same, for work that may take its time: a deletion of years, an upgrade."""
    return engine.execution_options(patient=True)


def _limit_statements(connection: Any, _record: Any) -> None:
    """By a statement, since what stands between us and a server may not pass options on."""
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(f"SET statement_timeout = '{STATEMENT_S}s'")
    cursor.close()
    connection.autocommit = False


def _lift_limit(connection: Connection) -> None:
    if connection.get_execution_options().get("patient"):
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")


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
    if to == "head" and revision(engine) == NEWEST:
        return  # without a lock that commands beside a collector would wait for
    from alembic import command  # noqa: PLC0415  # not for a database that is new enough
    from alembic.config import Config  # noqa: PLC0415  # the same
    from alembic.util import CommandError  # noqa: PLC0415  # the same

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with begin(patient(engine)) as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, to)
        except CommandError:
            raise _NewerDatabase from None


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
        if not inspect(connection).has_table("alembic_version"):
            return None
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if version is None else str(version)


def damage(engine: Engine) -> str:
    """What SQLite finds wrong with its own pages, or nothing; PostgreSQL sees to its own."""
    if engine.dialect.name != "sqlite":
        return ""
    with engine.connect() as connection:
        answer = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
    return "" if answer == "ok" else answer.splitlines()[-1]


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")  # acknowledged means on disk
    connection.execute("PRAGMA busy_timeout=5000")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")  # what retention removes is overwritten
