"""SQLite's pages, looked through after an end that was not in good order; and damage seen later.

A file of which an older copy lies beside a newer journal, or whose disk lost a page, opens like any
other, and takes windows that nobody can read again. Whoever has been told that his window is stored
deletes it.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.exc import OperationalError

from collector.storage import database_note
from collector.storage.database import RESTORE
from collector.storage.pulse import DatabasePulse
from edge.common.address import mask
from edge.common.errors import UserError
from edge.common.worker import Worker, first_line

log = logging.getLogger(__name__)

AT_START_S = 20.0
"""So long a start waits for it, some six million windows; after that it goes on beside the rest."""

STEPS = 100_000
"""Of SQLite's machine, between two questions whether it is to go on: some milliseconds."""

SQLITE_CODES = (11, 26)
"""SQLITE_CORRUPT, SQLITE_NOTADB (sqlite.org/rescode.html)."""
SQLITE_WORDS = ("disk image is malformed", "malformed database schema", "not a database")
"""The same, where Python does not tell the code (before 3.11)."""
POSTGRESQL_CODES = ("XX001", "XX002")
"""data_corrupted, index_corrupted (PostgreSQL's manual, appendix A)."""


def is_damage(error: BaseException | None) -> bool:
    """Whether a driver's error says that what is stored is damaged."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int):
        return code & 0xFF in SQLITE_CODES
    if isinstance(error, sqlite3.DatabaseError):
        return any(words in str(error) for words in SQLITE_WORDS)
    return getattr(error, "sqlstate", None) in POSTGRESQL_CODES


def wrong_pages(path: Path, go_on: Callable[[], bool]) -> str | None:
    """What is wrong with the file and its journal, or ""; None where `go_on` ended it.

    Changes nothing, so that the journal of another file can still be put beside that one. Raises
    sqlite3.Error where it cannot be read now.
    """
    place = f"file:{quote(str(path.absolute()))}?mode=ro"
    with closing(sqlite3.connect(place, uri=True)) as connection:
        is_over = False

        def ask() -> bool:
            nonlocal is_over
            is_over = is_over or not go_on()
            return is_over

        connection.set_progress_handler(ask, STEPS)
        try:
            answer = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        except sqlite3.Error as error:
            if is_over:
                return None
            if is_damage(error):
                return first_line(error)
            raise
    return "" if answer == "ok" else answer.splitlines()[-1]


class PageCheck(Worker):
    """Of one database, which the last collector may have left in the middle of something."""

    def __init__(self, database: str, state: Path, pulse: DatabasePulse) -> None:
        super().__init__("database check", every_s=3600.0)
        self._database, self._pulse = database, pulse
        self._path = _path(database)
        self.is_due = self._path is not None and _ended_badly(self._path, state)

    def at_start(self, most_s: float = AT_START_S) -> None:
        """Before anything opens it; raises UserError where it is damaged. What takes longer is left
        to the worker."""
        end = time.monotonic() + most_s
        try:
            self._look(lambda: time.monotonic() < end)
        except sqlite3.Error as error:  # whoever opens it next says it in words
            log.warning("database: its pages cannot be looked through yet: %s", first_line(error))
        if self._pulse.damage:
            raise UserError(self._pulse.damage, f"database {mask(self._database)}", RESTORE)

    def run_once(self) -> None:
        self._look(self._may_go_on)

    def _may_go_on(self) -> bool:
        self.beat()
        return not self._stopping.is_set()

    def _look(self, go_on: Callable[[], bool]) -> None:
        if not self.is_due or self._path is None:
            return
        wrong = wrong_pages(self._path, go_on)
        self.is_due = wrong is None
        if wrong:
            self._pulse.report_damage(wrong)


def watch_damage(engine: Engine, pulse: DatabasePulse) -> None:
    """An error that says that something is damaged is told to `pulse`; from then on nothing is
    committed, and so nothing acknowledged."""

    def hear(context: Any) -> None:
        if is_damage(context.original_exception):
            pulse.report_damage(first_line(context.original_exception))

    def refuse(_connection: Connection) -> None:
        if pulse.damage:
            raise _DamagedError(pulse.damage)

    event.listen(engine, "handle_error", hear)
    event.listen(engine, "commit", refuse)


class _DamagedError(OperationalError):
    """As the driver itself would say it, but before the commit."""

    def __init__(self, what: str) -> None:
        super().__init__("COMMIT", {}, sqlite3.DatabaseError(what))

    def __str__(self) -> str:
        return str(self.orig)


def _path(database: str) -> Path | None:
    """Of SQLite's file; None for one in memory or on a server, or with options of its own."""
    address = make_url(database)
    name = address.database
    if address.get_backend_name() != "sqlite" or not name or name.startswith((":", "file:")):
        return None
    return Path(name)


def _ended_badly(path: Path, state: Path) -> bool:
    """Not for a database that is not there yet; raises UserError for a note that is damaged."""
    if not path.exists():
        return False
    note = database_note.read(state)
    if note is None or not note.good_end:
        return True
    journal = path.with_name(f"{path.name}-wal")
    return journal.exists() and journal.stat().st_size > 0
