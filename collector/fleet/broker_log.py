"""What the broker refused, for the audit log: read from the file that Mosquitto writes.

Mosquitto tells of connections and messages it refused in its log alone. The file lies in memory and
is emptied before it grows large.
"""

from __future__ import annotations

import logging
import os
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from collector.access.audit import AuditLog
from edge.common.worker import Worker

log = logging.getLogger(__name__)

EVERY_S = 0.5
LARGEST = 16 * 2**20

AT = r"\d+: "
"""How each line begins; what a client may choose, such as a topic, comes later in it."""
CONNECTION = re.compile(rf"{AT}New connection from (\S+?):\d+ on port")
REFUSALS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(rf"{AT}Denied (?:PUBLISH|SUBSCRIBE) (?:from|to) (\S+) \(.*?'([^']{{1,80}})"),
        "topic refused",
    ),
    (
        re.compile(rf"{AT}Dropped too large PUBLISH from (\S+) \(.*?'([^']{{1,80}})"),
        "message too large",
    ),
    (
        re.compile(rf"{AT}Client (\S+) disconnected due to (oversize packet)"),
        "message too large",
    ),
)
TLS = re.compile(
    rf"{AT}(?:OpenSSL Error\[0\]|Client connection from (\S+) failed): "
    r"error:[0-9A-F]+:[^:]*::(.+?)\.?$"
)
"""With an address when all that the client had to say was there as soon as it connected."""
HARMLESS = ("unexpected eof while reading",)
"""A device that lost its network."""


class BrokerLog(Worker):
    """A file that is not there is waited for."""

    def __init__(self, path: Path, audit: AuditLog) -> None:
        super().__init__("broker's log", EVERY_S)
        self._path, self._audit = path, audit
        self._at = _size(path)  # what was there before us, somebody saw before us
        self._rest = ""
        self._from = "an unknown address"
        self._untold: deque[tuple[str, str, str]] = deque()

    def run_once(self) -> None:
        self._untold += self.news()
        while self._untold:  # what could not be written down is told at the next look
            who, what, about = self._untold[0]
            self._audit.count_denial(who[:64], what, about)
            self._untold.popleft()

    def news(self) -> Iterator[tuple[str, str, str]]:
        """Who, what and about what, of every refusal since the last look."""
        if not self._path.exists():
            return
        if _size(self._path) < self._at:
            self._at = 0  # it was emptied
        with self._path.open("r", encoding="utf-8", errors="replace") as file:
            file.seek(self._at)
            text = self._rest + file.read()
            self._at = file.tell()
        *lines, self._rest = text.split("\n")
        if self._at > LARGEST and os.access(self._path, os.W_OK):
            os.truncate(self._path, 0)  # Mosquitto appends, and so goes on from the beginning
            self._at = 0
        for line in lines:
            refusal = self._refusal(line)
            if refusal is not None:
                yield refusal

    def _refusal(self, line: str) -> tuple[str, str, str] | None:
        if connection := CONNECTION.match(line):
            self._from = connection[1]
            return None
        if failure := TLS.match(line):
            who, why = failure[1] or self._from, failure[2].strip()
            return None if why in HARMLESS else (who, "connection refused", why)
        for pattern, what in REFUSALS:
            if match := pattern.match(line):
                return match[1], what, match[2]
        return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
