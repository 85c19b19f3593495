"""What one device may send: at times that can be, and so much and no more."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import NamedTuple

from edge.protocol.messages import MessageError, Mood

AHEAD_S = 3 * 86_400.0
"""A device's clock and ours may be wrong by a day each; a window of next year is nobody's."""

GRACE_S = 2 * 86_400.0
"""Past retention: what is due is deleted when it is due, not before, whatever the clocks say."""

BURST, A_SECOND = 1000.0, 10.0
"""Windows of one room: a backlog comes at once, and goes on faster than any camera counts."""

STATUSES = (100.0, 1.0)
"""Of one room, at once and in a second: a device that comes and goes sends some each time."""

MOST_TOPICS = 20_000
"""That are remembered: more than a broker's rules name."""

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


class _Bucket(NamedTuple):
    tokens: float
    day: float
    at: float


class Bounds:
    """For all topics, before a message is looked at: reading it is what costs.

    A window that is too much is sent again, and taken when its time has come. Of statuses a device
    sends one in half a minute; where it sends hundreds, which of them was the last is its affair.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, topic: str) -> bool:
        """Whether one more message of this topic is within bounds."""
        now = time.monotonic()
        burst, a_second = (BURST, A_SECOND) if topic.endswith("/mood") else STATUSES
        with self._lock:
            bucket = self._buckets.pop(topic, None) or _Bucket(burst, A_DAY, now)
            interval = now - bucket.at
            tokens = min(burst, bucket.tokens + interval * a_second)
            day = min(A_DAY, bucket.day + interval * A_DAY / DAY_S)
            is_within = tokens >= 1 and day >= 1
            cost = 1.0 if is_within else 0.0
            self._buckets[topic] = _Bucket(tokens - cost, day - cost, now)
            if len(self._buckets) > MOST_TOPICS:
                self._buckets.popitem(last=False)
        return is_within
