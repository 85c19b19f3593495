"""Kills a process of ours at its n-th step: a statement, a commit, or what it does to a file."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

FILES = {"os.rename": 0, "os.remove": 0, "os.mkdir": 0, "os.rmdir": 0, "os.chmod": 0}
"""Of Python's own audit events, by the position of the path."""

READS = ("SELECT", "PRAGMA", "WITH")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Steps:
    """Of one process, in which it must be made; the last thing that it does is to tell its name."""

    def __init__(self, last: int, folder: Path, tell: int, only: str) -> None:
        self._left, self._folder, self._tell, self._only = last, str(folder), tell, only
        event.listen(Engine, "after_cursor_execute", self._on_statement)
        event.listen(Engine, "commit", lambda *_: self._step("commit"))
        sync = os.fsync

        def fsync(fd: Any) -> None:
            self._step("fsync")
            sync(fd)

        os.fsync = fsync
        sys.addaudithook(self._on_operation)

    def _on_statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        """A read leaves what the step before it left."""
        if not statement.lstrip().upper().startswith(READS):
            self._step(f"statement {statement[:40]}")

    def _on_operation(self, name: str, values: tuple[Any, ...]) -> None:
        """Before it is done: so the step before it is over, and its end has been a step as well."""
        if name == "open":
            path, _mode, flags = values
            if not isinstance(flags, int) or not flags & WRITES:
                return
        elif name in FILES:
            path = values[FILES[name]]
        else:
            return
        if isinstance(path, str | os.PathLike) and str(path).startswith(self._folder):
            self._step(f"{name} {Path(path).name}")

    def _step(self, name: str) -> None:
        self._left -= name.startswith(self._only)
        if not self._left:
            os.write(self._tell, name.encode())
            os.kill(os.getpid(), signal.SIGKILL)


def killed_at(number: int, folder: Path, act: Callable[[], object], only: str = "") -> str:
    """At which of the steps whose names begin so; the step's name, or nothing where it had not so
    many. The child never comes back."""
    hear, tell = os.pipe()
    child = os.fork()
    if not child:
        try:
            Steps(number, folder, tell, only)
            act()
        except BaseException as error:  # of the child, which must not go on as the parent
            os.write(2, f"{error!r}\n".encode())
            os._exit(3)
        os._exit(0)
    os.close(tell)
    status = os.waitpid(child, 0)[1]
    name = os.read(hear, 200).decode()
    os.close(hear)
    if not os.WIFSIGNALED(status) and status:
        raise RuntimeError(f"ended with {os.waitstatus_to_exitcode(status)}")
    return name
