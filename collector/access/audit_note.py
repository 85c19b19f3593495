"""How far the audit log has come, noted beside the collector's key and never lowered.

Whoever cuts entries off finds the number here higher than what is left; the next entry goes on from
the number noted, so that the gap stays for ever.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from edge.common import atomic_file

FILE = "audit.head"
LOCK = "audit.lock"


class Head(NamedTuple):
    """The newest entry: its number, and its seal where it was noted."""

    number: int
    seal: str = ""

    def __str__(self) -> str:
        return f"{self.number} {self.seal}".strip()


def read_head(text: str) -> Head | None:
    """As `str` of one writes it; None for anything else."""
    number, _, seal = text.strip().partition(" ")
    return Head(int(number), seal.strip()) if number.isdecimal() else None


class AuditNote:
    """One file; `alone` keeps other processes from noting meanwhile."""

    def __init__(self, state: Path) -> None:
        self.path = state / FILE
        self._lock = state / LOCK

    def read(self) -> Head | None:
        try:
            return read_head(self.path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def raise_to(self, head: Head) -> None:
        note = self.read()
        if note is None or note.number < head.number:
            atomic_file.write(self.path, f"{head}\n", atomic_file.OWNER_ALONE)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
