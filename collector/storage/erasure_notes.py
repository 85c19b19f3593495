"""What was erased, noted beside the collector's key as well: a database that is put back, by our
own backup or any other way, knows nothing of what was erased after it was copied.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from edge.common import atomic_file
from edge.common.errors import UserError
from edge.protocol.erasure import is_within
from edge.protocol.messages import Mood

FILE = "erasures.jsonl"


class Erasure(NamedTuple):
    """A time of a room, in seconds since 1970, or one run's windows up to a number: those that a
    wrong clock had dated ahead of their erasure."""

    site: str
    room: str
    begin: float
    end: float
    boot: str | None = None
    seq: int | None = None

    def covers(self, mood: Mood) -> bool:
        if self.boot is not None and self.seq is not None:
            return str(mood.boot) == self.boot and mood.seq <= self.seq
        return is_within(mood, self.begin, self.end)

    @property
    def is_of_room(self) -> bool:
        """Of all that there was, not of a lesson."""
        return self.begin <= 0 and self.boot is None


class ErasureNotes:
    """One file, a line each; lines are added, and changed only where a wrong clock wrote them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def read(self) -> list[Erasure]:
        """A line that a crash cut short is none: nothing had been erased yet."""
        return read_notes(self.path) if self.path.exists() else []

    def add(self, erasures: Iterable[Erasure]) -> None:
        """On disk when it returns; raises UserError where the disk does not take it."""
        text = "".join(json.dumps(one._asdict()) + "\n" for one in erasures)
        try:
            with self._lock():
                self._append(text)
        except OSError as error:
            raise UserError(
                f"cannot be written ({error.strerror})", self.path, "nothing was erased; free space"
            ) from None

    def _append(self, text: str) -> None:
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(file).st_size
            whole = not size or os.pread(file, 1, size - 1) == b"\n"
            rest = (text if whole else "\n" + text).encode()
            while rest:  # a disk that is nearly full takes a part, and then says why
                rest = rest[os.write(file, rest) :]
            os.fsync(file)
        finally:
            os.close(file)
        atomic_file.sync_folder(self.path.parent)

    def replace(self, corrections: Mapping[Erasure, Erasure]) -> None:
        """Others in their place; raises UserError where the disk does not take it."""
        with self._lock():
            notes = [corrections.get(one, one) for one in self.read()]
            text = "".join(json.dumps(one._asdict()) + "\n" for one in notes)
            try:
                atomic_file.write(self.path, text, atomic_file.OWNER_ALONE)
            except OSError as error:
                raise UserError(
                    f"cannot be written ({error.strerror})", self.path, "free space"
                ) from None

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """Against another process that adds to a file that is just being replaced."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)


def read_notes(path: Path) -> list[Erasure]:
    """Raises UserError for a file that cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise UserError(
            f"cannot be read ({error.strerror})", path, "what was erased is in it"
        ) from None
    erasures: dict[Erasure, None] = {}
    for line in lines:
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
            erasures[_erasure(json.loads(line))] = None
    return list(erasures)


def _erasure(fields: Any) -> Erasure:
    boot, seq = fields.get("boot"), fields.get("seq")
    return Erasure(
        *(str(fields["site"]), str(fields["room"]), float(fields["begin"]), float(fields["end"])),
        *(None if boot is None else str(boot), None if seq is None else int(seq)),
    )
