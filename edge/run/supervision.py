"""Ends an agent that no longer works, so that a new process may: systemd starts it.

Parts tell for how long they have not moved; past its deadline, or above the memory ceiling, the
agent is asked to stop in good order and, where it cannot, is ended.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from edge.common.watchdog import Watchdog
from edge.common.worker import Workers

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Deadline(NamedTuple):
    """A part, for how many seconds it has not moved (0 at rest), and for how many it may not."""

    part: str
    still: Callable[[], float]
    seconds: float


class Progress:
    """When a part last moved."""

    def __init__(self) -> None:
        self._at = time.monotonic()

    def beat(self) -> None:
        self._at = time.monotonic()

    def still(self) -> float:
        return time.monotonic() - self._at


def resident_mb(statm: Path = Path("/proc/self/statm")) -> float:
    """Memory that this process has in use, MB."""
    return int(statm.read_text(encoding="ascii").split()[1]) * PAGE_BYTES / 2**20


def age_s() -> float:
    """Seconds since this process was started, imports and all; proc_pid_stat(5), field 22."""
    stat = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    up = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    return up - int(stat[19]) / os.sysconf("SC_CLK_TCK")


class Supervisor(Watchdog):
    """The watchdog of an agent: asks its workers, its deadlines and its memory."""

    def __init__(
        self,
        workers: Workers,
        deadlines: Sequence[Deadline],
        memory_mb: float,
        status: Callable[[], str],
        give_up: Callable[[str], None],
        end: Callable[[int], None] = os._exit,
    ) -> None:
        super().__init__(self.wrong, status, give_up, end)
        self._workers, self._deadlines = workers, tuple(deadlines)
        self._memory_mb = memory_mb

    def wrong(self) -> str:
        """What only a new process can mend, or nothing."""
        for name, why in self._workers.fatal_problem().items():
            return f"{name}: {why}"
        for part, still, seconds in self._deadlines:
            if still() > seconds:
                return f"{part}: has not moved for {seconds:g} s"
        resident = resident_mb()
        if resident > self._memory_mb:
            return f"memory: {resident:.0f} MB, more than {self._memory_mb:g} MB"
        return ""
