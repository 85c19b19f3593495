"""Sees that every part moves on, tells systemd so, and ends a process that nothing else can mend.

A part tells for how long it has not moved; past its deadline, or above the memory ceiling, the
agent is asked to stop in good order and, where it cannot, is ended. The exit status says that a new
process may do better, and systemd starts one.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from systemd_watchdog.systemd_watchdog import WatchDog

log = logging.getLogger(__name__)

TRY_AGAIN = os.EX_TEMPFAIL
"""The exit status, 75, for a fault that a new process may not have; systemd starts one."""

EVERY_S = 1.0
GRACE_S = 5.0
"""For stopping in good order: the light goes out, what is in memory is sent."""

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


class Supervisor:
    """A thread between `start` and `stop`."""

    def __init__(
        self,
        deadlines: Sequence[Deadline],
        memory_mb: float,
        status: Callable[[], str],
        give_up: Callable[[str], None],
        end: Callable[[int], None] = os._exit,
    ) -> None:
        self._deadlines = tuple(deadlines)
        self._memory_mb = memory_mb
        self._status = status
        self._give_up = give_up
        self._end = end
        self._said = ""
        # Its own idea of when to notify is by the wall clock, which may jump: we tell it when.
        self._systemd = WatchDog()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervise", daemon=True)

    def start(self) -> None:
        self._systemd.ready()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(1)

    def wrong(self) -> str:
        """What only a new process can mend, or nothing."""
        for part, still, seconds in self._deadlines:
            if still() > seconds:
                return f"{part}: has not moved for {seconds:g} s: starting anew"
        resident = resident_mb()
        if resident > self._memory_mb:
            return f"memory: {resident:.0f} MB, more than {self._memory_mb:g} MB: starting anew"
        return ""

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_S):
            if wrong := self.wrong():
                log.error("%s", wrong)
                self._give_up(wrong)
                if not self._stopping.wait(GRACE_S):
                    self._end(TRY_AGAIN)
                return
            self._systemd.notify()
            self._tell(self._status())

    def _tell(self, status: str) -> None:
        if status != self._said:
            self._systemd.status(status)
        self._said = status
