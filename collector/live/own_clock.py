"""Whether this machine's clock may be believed: nothing is deleted by a clock that may be wrong.

A server whose clock runs a year ahead takes every window for expired, and one that runs behind
takes each for one of the future. Two can tell: the kernel, which knows whether network time
disciplines its clock, and the devices, whose statuses say what time it is where they are. Where
most devices say otherwise the clock is in doubt, whatever the kernel says.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from edge.common.clock import Trust, trust

APART_S = 3600.0
"""Clocks that differ by more do not agree."""

HEARD_S = 600.0
"""For so long what a device said counts; it says it every half minute."""

LISTENS_S = 60.0
"""After a start, before the kernel's word is enough: by then the devices are heard."""

STEP_S = 60.0
"""By which a clock that was right may move against the machine's steady one between two looks."""

Room = tuple[str, str]


class Opinion(NamedTuple):
    """A device's time (seconds since 1970) at a steady one of ours; with `is_least` it may be later
    there, since it is the end of a window that may have waited."""

    device_s: float
    heard_s: float
    is_least: bool


class Doubt(NamedTuple):
    """So many of the devices that are heard say that our clock is so much ahead (seconds; below
    zero: behind)."""

    ahead_s: float
    against: int
    devices: int

    def __str__(self) -> str:
        size, way = abs(self.ahead_s), "ahead of" if self.ahead_s > 0 else "behind"
        amount = f"{size / 3600:.0f} hours" if size < 2 * 86_400 else f"{size / 86_400:.0f} days"
        return f"{amount} {way} the clocks of {self.against} of {self.devices} devices"


def steady_s() -> float:
    """Seconds that nobody sets, through sleep too."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class OwnClock:
    """Safe to use from several threads; nothing in it waits."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = steady_s,
        kernel: Callable[[], Trust] = trust,
    ) -> None:
        self._wall, self._steady, self._kernel = wall, steady, kernel
        self._start = steady()
        self._lock = threading.Lock()
        self._opinions: dict[Room, Opinion] = {}
        self._offset: float | None = None
        """Of wall time from steady time, when it was last known to be right."""

    def hear(self, room: Room, at: float, *, is_least: bool = False, is_set: bool = True) -> None:
        """A device's time, as a message has it that came just now; see Opinion.

        Of a clock that nothing has set (`is_set`) only its agreement counts: two that agree by
        chance are rare, and a school without network time has no others.
        """
        now = self._steady()
        with self._lock:
            if not is_set and abs(self._wall() - at) > APART_S:
                self._opinions.pop(room, None)
                return
            last = self._opinions.get(room)
            if is_least and last is not None and now - last.heard_s < HEARD_S:
                if at <= last.device_s + now - last.heard_s:
                    return
                is_least = last.is_least
            self._opinions[room] = Opinion(at, now, is_least)

    def doubt(self) -> Doubt | None:
        """What most devices say, where they say that it is wrong: a window that ended just now
        speaks for it as a status does, and one that waited says nothing."""
        differences = [
            ahead for ahead, is_least in self._differences() if not is_least or ahead <= APART_S
        ]
        against = sorted(ahead for ahead in differences if abs(ahead) > APART_S)
        if 2 * len(against) <= len(differences):
            return None
        return Doubt(against[len(against) // 2], len(against), len(differences))

    def is_sure(self) -> bool:
        """Whether somebody vouches for it, and nothing speaks against it."""
        if self.doubt() is not None:
            self._offset = None
            return False
        offset, difference = self._offset, self._wall() - self._steady()
        has_kept = offset is not None and abs(difference - offset) < STEP_S
        if not has_kept and not self._is_vouched_for():
            self._offset = None
            return False
        self._offset = difference
        return True

    def _differences(self) -> list[tuple[float, bool]]:
        """By how much ours is ahead of each device's, and whether that is the most it can be."""
        steady, wall = self._steady(), self._wall()
        with self._lock:
            opinions = list(self._opinions.values())
        return [
            (wall - (one.device_s + steady - one.heard_s), one.is_least)
            for one in opinions
            if steady - one.heard_s < HEARD_S
        ]

    def _is_vouched_for(self) -> bool:
        differences = self._differences()
        if differences:
            return any(abs(ahead) <= APART_S for ahead, _ in differences)
        return self._steady() - self._start > LISTENS_S and self._kernel() == "synced"
