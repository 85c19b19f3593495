"""What one device may send: at times that can be, and so much and no more."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

from edge.protocol.messages import MessageError, Mood

AHEAD_S = 3 * 86_400.0
"""A device's clock and ours may be wrong by a day each; a window of next year is nobody's."""

GRACE_S = 2 * 86_400.0
"""Past retention: what is due is deleted when it is due, not before, whatever the clocks say."""

BURST, A_SECOND = 1000.0, 10.0
"""Windows of one room: a backlog comes at once, and goes on faster than any camera counts."""

A_DAY = 50_000.0
"""Of the shortest windows that the settings allow a camera counts twice as many."""
DAY_S = 86_400.0


def check_time(mood: Mood) -> None:
    """Raises MessageError for a window of the far future that claims to know the time."""
    if mood.clock == "unsynced":
        return
    if mood.start.timestamp() + mood.seconds > time.time() + AHEAD_S:
        raise MessageError("start: in the future: the device's clock is wrong")


def is_expired(mood: Mood, windows_days: int) -> bool:
    """Whether retention would delete it at once: it is older than what its site keeps.

    One whose clock was not set may be of any time, and is kept from when it came.
    """
    age = time.time() - mood.start.timestamp()
    return mood.clock == "synced" and age > windows_days * DAY_S + GRACE_S


class _Room(NamedTuple):
    tokens: float
    day: float
    at: float


class Bounds:
    """For all rooms; what is too much is taken when its time has come, since it is sent again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rooms: dict[tuple[str, str], _Room] = {}

    def take(self, mood: Mood) -> bool:
        """Whether one more of this room's windows is within bounds."""
        now = time.monotonic()
        key = (mood.site, mood.room)
        with self._lock:
            bucket = self._rooms.get(key, _Room(BURST, A_DAY, now))
            interval = now - bucket.at
            tokens = min(BURST, bucket.tokens + interval * A_SECOND)
            day = min(A_DAY, bucket.day + interval * A_DAY / DAY_S)
            is_within = tokens >= 1 and day >= 1
            cost = 1.0 if is_within else 0.0
            self._rooms[key] = _Room(tokens - cost, day - cost, now)
        return is_within
