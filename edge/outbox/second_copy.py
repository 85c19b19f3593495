"""The newest windows a second time, in plain files beside the outbox, should that be damaged.

Two files of lines, each with its checksum; when one is full the other is begun anew. A line is a
window, or says that some were acknowledged. Not synced to the disk at once: it guards against a
damaged file, not a power cut, which the outbox survives. A window stays here for a while after it
was acknowledged, so that the collector can ask for it again when its own database was lost.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from edge.common import atomic_file
from edge.protocol.messages import MessageError, Mood, decode

log = logging.getLogger(__name__)

MOST_BYTES = 2**22
"""Of each of the two files: a day and a half of 15-second windows at least, three at most."""

NUMBER = re.compile(rb'"boot":"([0-9a-f-]{36})","seq":(\d{1,16})[,}]')
"""Of a window as it is encoded: reading all of each of thousands would keep a start waiting."""

PLACE = re.compile(rb'"site":"([a-z0-9-]{1,32})","room":"([a-z0-9-]{1,32})"')
"""Of a window, the same way."""

ACK_MARK = b"-"
"""In place of a window: which run's, and the first and last of those numbers."""

Number = tuple[str, int]
"""A window's: the agent's run and the number in it."""


class SecondCopy:
    """Lines of checksum and content in `<outbox>.copy0` and `.copy1`."""

    def __init__(self, outbox: Path, most_bytes: int = MOST_BYTES) -> None:
        self._files = [outbox.with_suffix(f".copy{number}") for number in (0, 1)]
        self._most = most_bytes
        self._now: BinaryIO | None = None
        self._failing = False

    def append(self, mood: Mood) -> None:
        """Adds a window; a disk that does not take it is said once, and no reason to stop."""
        self._write(mood.encode())

    def acknowledge(self, boot: UUID, seq: int, windows: int) -> None:
        """Notes that the collector has these; a note that is lost has them sent again."""
        self._write(b"%s %s %d %d" % (ACK_MARK, str(boot).encode(), seq - windows + 1, seq))

    def pending(self) -> dict[Number, bytes]:
        """Windows that were not acknowledged, oldest first, as they were encoded."""
        windows, acks = self._read()
        return {number: text for number, text in windows.items() if number not in acks}

    def acknowledgements(self, since: datetime) -> list[Mood]:
        """Windows that were, from a moment on; those whose clock was not set may be of then too."""
        windows, acks = self._read()
        moods = (read(text) for number, text in windows.items() if number in acks)
        return [one for one in moods if one and (one.start >= since or one.clock == "unsynced")]

    def rooms(self) -> set[str]:
        """Of all its windows, as `site/room`."""
        matches = filter(None, map(PLACE.search, self._contents()))
        return {f"{one[1].decode('ascii')}/{one[2].decode('ascii')}" for one in matches}

    def erase(self, is_erased: Callable[[Mood], bool]) -> int:
        """Forgets windows for good, and lines that nobody can read; returns how many windows.

        Raises OSError where the disk does not take the files anew.
        """
        self.close()
        count = 0
        for file in self._files:
            lines = file.read_bytes().splitlines() if file.exists() else []
            rest: list[bytes] = []
            for line in filter(None, lines):
                content = _content(line)
                mood = None if content is None else read(content)
                if content is not None and (mood is None or not is_erased(mood)):
                    rest.append(line)
                count += mood is not None and is_erased(mood)
            if len(rest) < len([line for line in lines if line]):
                status = file.stat()
                atomic_file.write(file, b"".join(line + b"\n" for line in rest))
                os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))  # tells their order
        return count

    def close(self) -> None:
        if self._now is not None:
            with contextlib.suppress(OSError):
                self._now.close()
        self._now = None

    def _write(self, content: bytes) -> None:
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

    def _file(self) -> BinaryIO:
        if self._now is None:
            newest = max(self._files, key=_write_time)
            self._now = newest.open("ab")
            # A line that a crash cut short must not spoil the next.
            self._now.write(b"\n")
        elif self._now.tell() > self._most:
            full = Path(self._now.name)
            self._now.close()
            self._now = next(one for one in self._files if one != full).open("wb")
        return self._now

    def _read(self) -> tuple[dict[Number, bytes], set[Number]]:
        """All windows that are sound, and the numbers of those that were acknowledged."""
        windows: dict[Number, bytes] = {}
        acks: set[Number] = set()
        for content in self._contents():
            if content.startswith(ACK_MARK):
                with contextlib.suppress(ValueError):
                    _, boot, first, last = content.split(b" ")
                    for seq in range(int(first), int(last) + 1):
                        acks.add((boot.decode("ascii"), seq))
            elif number := NUMBER.search(content):
                windows[number[1].decode("ascii"), int(number[2])] = content
        return windows, acks

    def _contents(self) -> Iterator[bytes]:
        for file in sorted(self._files, key=_write_time):
            with contextlib.suppress(OSError):
                for line in file.read_bytes().splitlines():
                    if (content := _content(line)) is not None:
                        yield content


def _content(line: bytes) -> bytes | None:
    """None for a line that is not as it was written."""
    crc, _, content = line.partition(b" ")
    try:
        return content if int(crc, 16) == zlib.crc32(content) else None
    except ValueError:
        return None


def read(content: bytes) -> Mood | None:
    """A window, or None for what an earlier version may have written."""
    try:
        return decode(Mood, content)
    except MessageError:
        return None


def _write_time(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
