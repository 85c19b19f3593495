"""What commands work on, beside a collector or without one: database, accounts, audit log."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, delete, insert
from sqlalchemy.exc import DBAPIError

from collector.access.accounts import Accounts
from collector.access.audit import AuditLog
from collector.access.secret import has_key, make_folder, own_key
from collector.config import CollectorSettings
from collector.storage import placement
from collector.storage.database import (
    SPACE,
    WRITABLE,
    begin,
    connect,
    disk_remedy,
    reason_of,
    remedy_for,
)
from collector.storage.database_note import DatabaseIdentity, check_file, note_restored
from collector.storage.tables import settings as settings_table
from edge.common import atomic_file
from edge.common.address import mask
from edge.common.errors import UserError
from edge.common.privileges import become_owner
from edge.common.settings import load

log = logging.getLogger(__name__)

BY = "the command line"

TRIAL, TRIAL_BYTES = "trial", 4096
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG)


@contextmanager
def disk_errors(database: str, state: Path) -> Iterator[None]:
    """Says in words, as UserError, that a disk is full or cannot be written, or that the database
    does not answer; what had begun is completed by the next start, or has not begun."""
    try:
        yield
    except DBAPIError as error:
        reason = reason_of(error) or "does not answer"
        remedy = remedy_for(reason, disk_remedy(database, SPACE))
        raise UserError(reason, f"database {mask(database)}", remedy) from None
    except OSError as error:
        if error.errno not in DISK:
            raise
        remedy = WRITABLE if error.errno == errno.EROFS else SPACE
        raise UserError(str(error.strerror), error.filename or state, remedy) from None


@contextmanager
def open_database(settings: CollectorSettings, *, is_new: bool = False) -> Iterator[Engine]:
    """The one that the collector uses, or with `is_new` one that it is to use; raises UserError
    where that is gone, empty, or another."""
    if not is_new:
        check_file(settings.database, settings.state)
    with disk_errors(settings.database, settings.state):
        engine = connect(settings.database)
        try:
            if not is_new and not _awaits_restore(engine, settings.state):
                identity = DatabaseIdentity(engine, settings.state)
                identity.verify(has_key=has_key(settings.state))
            yield engine
        finally:
            engine.dispose()


def try_writing(engine: Engine, state: Path) -> None:
    """As whoever the state folder belongs to, as a collector would; leaves nothing behind.

    Raises SQLAlchemyError or OSError, see `disk_errors`."""
    row = settings_table.c.key == TRIAL
    with begin(engine) as connection:
        connection.execute(delete(settings_table).where(row))
        connection.execute(insert(settings_table).values(key=TRIAL, value=""))
        connection.execute(delete(settings_table).where(row))
    if state.exists():
        path = state / f".{TRIAL}"
        try:
            atomic_file.write(path, b"x" * TRIAL_BYTES, atomic_file.OWNER_ALONE)
        finally:
            path.unlink(missing_ok=True)


def _awaits_restore(engine: Engine, state: Path) -> bool:
    """Whether a restore into this database is to be completed first."""
    journal = placement.read(state)
    return journal is not None and journal.database == str(engine.url)


def finish_restore(engine: Engine, state: Path, alone: bool) -> None:
    """Before anything reads the key: completes a restore that was killed after its commit.

    What one that was killed before it had staged goes, where nobody else uses the database
    (`alone`): it might be at work. Raises UserError where it cannot be completed.
    """
    journal = placement.read(state)
    if journal is None:
        return
    if journal.database != str(engine.url):
        if alone:
            into = mask(journal.database)
            log.warning("a restore of %s into %s is unfinished", journal.source, into)
        return
    with engine.connect() as connection:
        is_committed = journal.is_committed(connection)
    if is_committed:
        placement.put_in_place(journal)
        note_restored(engine, state)
        AuditLog(engine, state, own_key(state)).add(BY, "backup restored", journal.source)
        placement.end(state)
    elif alone:
        log.warning("a restore of %s was interrupted: nothing of it is there", journal.source)
        placement.discard(state, journal)


@contextmanager
def engine_and_key(settings: CollectorSettings) -> Iterator[tuple[Engine, bytes]]:
    """The database and the collector's key, as its own user, for a command beside it."""
    become_owner(settings.state)
    make_folder(settings.state)  # where the database may lie
    with open_database(settings) as engine:
        finish_restore(engine, settings.state, alone=False)
        yield engine, own_key(settings.state)


@contextmanager
def open_collector(config: Path) -> Iterator[tuple[Engine, Accounts, AuditLog, CollectorSettings]]:
    settings = load(CollectorSettings, config)
    with engine_and_key(settings) as (engine, key):
        yield engine, Accounts(engine), AuditLog(engine, settings.state, key), settings
