"""One collector at a time uses a database; a second one is refused, in words, before it writes.

Two of them would write one audit log from two notes of its head, which looks like tampering. In
PostgreSQL it is an advisory lock of a session, beside SQLite's file a lock on another file. Both
end with the process, however that ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import time
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine, NullPool, text
from sqlalchemy.exc import SQLAlchemyError

from collector.storage.database import make_engine, url_to_show
from edge.common.errors import UserError
from edge.common.worker import first_line

log = logging.getLogger(__name__)

NUMBER = 0x726F6F6D  # 'room': among the advisory locks of a database
PATIENCE_S = 10.0
"""For a process that was killed a moment ago, whose end the server has not noticed yet."""

KEEPALIVE = "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10"
"""So that the lock of a machine that lost its power ends within two minutes."""


ASK_S = 60.0
"""For how long its session may say nothing: a server that hangs for less has not let go of it."""

OWN_SESSION = text("SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()")
END_SESSION = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid = :pid AND backend_start = :backend_start"
)
ENDS_IN_S = 2.0
"""For a session of ours that the server still has."""


TAKEOVER = "another collector took it over while this one could not reach it"
WITHOUT_LOCK = "another collector took it when this one's lock file had been deleted"


class NotHeld(Exception):
    """Sole use was lost and is not had again yet; another try may succeed."""


class SoleUse:
    """Of one database, between `__init__` and `end`; raises UserError where another has it."""

    def __init__(self, engine: Engine, patience_s: float = PATIENCE_S) -> None:
        self._engine = engine
        self.session: Connection | None = None
        """Where it has one, `keep` has just seen it answer."""
        self.session_id: dict[str, Any] | None = None
        self._file: IO[bytes] | None = None
        self._is_lost, self._loss = False, TAKEOVER
        # Apart from those of the pool: of these it may be said that none waits any longer.
        self._sessions = make_engine(engine.url, _too_long, poolclass=NullPool)
        end = time.monotonic() + patience_s
        while not self._take():
            if time.monotonic() > end:
                raise self._taken_by_another("another collector is using it")
            time.sleep(0.2)
        self._identity = _identity(engine)

    def keep(self) -> None:
        """Looks whether it is had still, and takes it again where the server has ended the session,
        as when it was restarted.

        Raises NotHeld where that cannot be done now, and UserError where another collector came
        first: from then on every time, since what it writes we do not know.
        """
        if self._is_lost:
            raise self._taken_by_another(self._loss)
        if self._engine.dialect.name == "sqlite":
            self._keep_file()
            return
        if self.session is not None:
            try:
                self.session.execute(text("SELECT 1"))
            except SQLAlchemyError as error:
                log.warning("database: %s: no longer ours alone", first_line(error))
                self._end_session()
            else:
                return
        try:
            self._take_again()
        except SQLAlchemyError as error:
            raise NotHeld(f"{first_line(error)}; not ours alone until it is back") from None
        log.info("database: ours alone again")

    def _keep_file(self) -> None:
        """What is written into a file that no name leads to is lost, and nothing says so."""
        if self._identity is not None and _identity(self._engine) != self._identity:
            raise UserError(
                "its file was moved, replaced or deleted while the collector was using it",
                f"database {url_to_show(self._engine)}",
                "put it back, or restore a backup; devices send again what they still have: "
                "`roommood collector resend`",
            )
        if self._file is None or _leads_to(self._file):
            return
        # A lock on a file without a name keeps nobody away.
        former, self._file = self._file, None
        try:
            if not self._take():
                self._is_lost, self._loss = True, WITHOUT_LOCK
                raise self._taken_by_another(WITHOUT_LOCK)
        finally:
            if self._file is None:
                self._file = former
            else:
                former.close()
        log.warning("database: its lock file was deleted or replaced: made anew")

    def end(self) -> None:
        self._end_session()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _end_session(self) -> None:
        if self.session is not None:
            with contextlib.suppress(SQLAlchemyError):
                self.session.invalidate()
                self.session.close()
            self.session = None

    def _taken_by_another(self, reason: str) -> UserError:
        remedy = "stop that one, or give this one a database of its own"
        return UserError(reason, f"database {url_to_show(self._engine)}", remedy)

    def _take(self) -> bool:
        if self._engine.dialect.name != "sqlite":
            return self._take_session()
        file = _file_of(self._engine)
        # By a link it is the same.
        return file is None or self._take_file(Path(f"{file.resolve()}.lock"))

    def _take_session(self) -> bool:
        session = self._sessions.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            session.exec_driver_sql(KEEPALIVE)
            session_id = session.execute(OWN_SESSION).mappings().one()
            if session.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": NUMBER}).scalar():
                self.session, self.session_id = session, dict(session_id)
                return True
        except BaseException:
            session.close()
            raise
        session.close()
        return False

    def _take_again(self) -> None:
        """The server may still have the session that we gave up: that is no other collector."""
        end = time.monotonic() + ENDS_IN_S
        while True:
            # Looked for first: one that ends between the two looks is not taken for another's.
            was_there = self._end_own_session()
            if self._take_session():
                return
            if not was_there:
                self._is_lost = True
                raise self._taken_by_another(TAKEOVER)
            if time.monotonic() > end:
                raise NotHeld("the server has not ended our last session yet")
            time.sleep(0.05)

    def _end_own_session(self) -> bool:
        """Whether it was there still."""
        with self._sessions.connect() as connection:
            return connection.execute(END_SESSION, self.session_id).first() is not None

    def _take_file(self, path: Path) -> bool:
        while True:
            file = path.open("ab")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
                return False
            if _leads_to(file):
                self._file = file
                return True
            file.close()  # deleted between the two


def _leads_to(file: IO[bytes]) -> bool:
    """Whether its name still leads to it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(file.name))
    except FileNotFoundError:
        return False


def _identity(engine: Engine) -> tuple[int, int] | None:
    """Which file SQLite's name leads to now; None where it leads to none, or is no file."""
    file = _file_of(engine)
    try:
        stat = None if file is None else file.stat()
    except OSError:
        return None
    return None if stat is None else (stat.st_dev, stat.st_ino)


def _file_of(engine: Engine) -> Path | None:
    """Of SQLite's database; None for one in memory, or on a server."""
    name = engine.url.database
    is_file = engine.dialect.name == "sqlite" and name and name != ":memory:"
    return Path(name) if is_file and name else None


def _too_long(waited_s: float) -> str:
    return f"no answer for {ASK_S:.0f} s" if waited_s > ASK_S else ""
