"""The newest windows a second time, in plain files beside the outbox, should that be damaged.

Two files of lines, each with its checksum; when one is full the other is begun anew. Not synced to
the disk at once: it guards against a damaged file, not a power cut, which the outbox survives. A
window stays here for a while after it was acknowledged; sent again, it changes nothing.
"""

from __future__ import annotations

import contextlib
import logging
import zlib
from pathlib import Path
from typing import BinaryIO

from edge.protocol.messages import MessageError, Mood, decode

log = logging.getLogger(__name__)

MOST_BYTES = 2**20
"""Of each of the two files: some nine hours of 15-second windows."""


class SecondCopy:
    """Lines of checksum and window in `<outbox>.copy0` and `.copy1`."""

    def __init__(self, outbox: Path, most_bytes: int = MOST_BYTES) -> None:
        self._files = [outbox.with_suffix(f".copy{number}") for number in (0, 1)]
        self._most = most_bytes
        self._now: BinaryIO | None = None
        self._failing = False

    def append(self, mood: Mood) -> None:
        """Adds a window; a disk that does not take it is said once, and no reason to stop."""
        content = mood.encode()
        try:
            file = self._file()
            file.write(b"%08x %s\n" % (zlib.crc32(content), content))
            file.flush()
            self._failing = False
        except OSError as error:
            if not self._failing:
                log.warning("%s: %s; there is no second copy", self._files[0], error.strerror)
            self._failing = True
            self.close()

    def moods(self) -> list[Mood]:
        """Every window that can be read, older ones first as far as known."""
        found: list[Mood] = []
        for file in sorted(self._files, key=_written):
            with contextlib.suppress(OSError):
                found += [mood for line in file.read_bytes().splitlines() if (mood := _read(line))]
        return found

    def close(self) -> None:
        if self._now is not None:
            with contextlib.suppress(OSError):
                self._now.close()
        self._now = None

    def _file(self) -> BinaryIO:
        if self._now is None:
            newest = max(self._files, key=_written)
            self._now = newest.open("ab")
            # A line that a crash cut short must not spoil the next.
            self._now.write(b"\n")
        elif self._now.tell() > self._most:
            full = Path(self._now.name)
            self._now.close()
            self._now = next(one for one in self._files if one != full).open("wb")
        return self._now


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _read(line: bytes) -> Mood | None:
    crc, _, content = line.partition(b" ")
    try:
        return decode(Mood, content) if int(crc, 16) == zlib.crc32(content) else None
    except (ValueError, MessageError):
        return None
