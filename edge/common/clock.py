"""Whether the wall clock can be trusted, and what to say where it cannot: a Pi has no battery.

A clock that nothing has set may be at 1970. Time has certainly come as far as this program's
making, and as far as any file that the agent wrote: that is the floor. systemd-timesyncd keeps a
floor in the same way.
"""

from __future__ import annotations

import contextlib
import ctypes
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Literal, NamedTuple

TIMEX_BYTES = 256
"""Room for the kernel's `struct timex`, 208 bytes on 64-bit Linux."""

TIME_ERROR = 5
"""What adjtimex(2) answers while the clock is not synchronised."""

BUILD_TIME = datetime(2026, 1, 1, tzinfo=timezone.utc)
"""No clock is right that is before this program was written."""

Trust = Literal["synced", "unsynced"]


def trust() -> Trust:
    """`synced` when the kernel says that something disciplines its clock."""
    timex = ctypes.create_string_buffer(TIMEX_BYTES)  # modes = 0: read only
    try:
        answer = ctypes.CDLL(None).adjtimex(timex)
    except AttributeError:  # not Linux
        return "unsynced"
    return "synced" if 0 <= answer < TIME_ERROR else "unsynced"


class Timestamp(NamedTuple):
    """A moment, UTC, and whether it may be believed."""

    at: datetime
    clock: Trust


class WallClock:
    """The time of day with a floor: `files` are what the agent wrote last, in whatever run."""

    def __init__(
        self,
        *files: Path,
        system: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        clock_trust: Callable[[], Trust] = trust,
    ) -> None:
        self._system, self._clock_trust = system, clock_trust
        self._start = time.monotonic()
        self._floor = BUILD_TIME
        for file in files:
            with contextlib.suppress(OSError):
                mtime = datetime.fromtimestamp(file.stat().st_mtime, timezone.utc)
                self._floor = max(self._floor, mtime)

    @property
    def floor(self) -> datetime:
        """It is at least this late."""
        return self._floor + timedelta(seconds=time.monotonic() - self._start)

    def is_lost(self) -> bool:
        """Whether the system's clock is certainly wrong, as at 1970."""
        return self._system() < BUILD_TIME

    def now(self) -> Timestamp:
        at, clock = self._system(), self._clock_trust()
        if clock == "synced" and at >= BUILD_TIME:
            return Timestamp(at, "synced")
        return Timestamp(max(at, self.floor), "unsynced")
