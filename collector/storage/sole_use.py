"""One collector at a time uses a database; a second one is refused, in words, before it writes.

Two of them would write one audit log from two notes of its head, which looks like tampering. In
PostgreSQL it is an advisory lock of a session, beside SQLite's file a lock on another file. Both
end with the process, however that ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import time
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from edge.common.errors import UserError

NUMBER = 0x726F6F6D  # 'room': among the advisory locks of a database
PATIENCE_S = 10.0
"""For a process that was killed a moment ago, whose end the server has not noticed yet."""

KEEPALIVE = "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10"
"""So that the lock of a machine that lost its power ends within two minutes."""


class SoleUse:
    """Of one database, between `__init__` and `end`; raises UserError where another has it."""

    def __init__(self, engine: Engine, patience_s: float = PATIENCE_S) -> None:
        self._engine = engine
        self._session: Connection | None = None
        self._file: IO[bytes] | None = None
        end = time.monotonic() + patience_s
        while not self._is_taken():
            if time.monotonic() > end:
                raise UserError(
                    "another collector is using it",
                    f"database {engine.url!r}",
                    "stop that one, or give this one a database of its own",
                )
            time.sleep(0.2)

    def keep(self) -> None:
        """Takes it again where the server has ended the session, as when it was restarted; raises
        UserError where another collector came first."""
        if self._session is None:
            return
        try:
            self._session.execute(text("SELECT 1"))
        except SQLAlchemyError:
            self.end()
            if not self._is_taken():
                raise UserError(
                    "another collector uses it as well",
                    f"database {self._engine.url!r}",
                    "stop one of the two",
                ) from None

    def end(self) -> None:
        if self._session is not None:
            with contextlib.suppress(SQLAlchemyError):
                self._session.invalidate()
                self._session.close()
            self._session = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def _is_taken(self) -> bool:
        if self._engine.dialect.name != "sqlite":
            return self._take_session()
        name = self._engine.url.database
        return not name or name == ":memory:" or self._take_file(Path(f"{name}.lock"))

    def _take_session(self) -> bool:
        session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        session.exec_driver_sql(KEEPALIVE)
        if session.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": NUMBER}).scalar():
            self._session = session
            return True
        session.close()
        return False

    def _take_file(self, path: Path) -> bool:
        file = path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self._file = file
        return True
