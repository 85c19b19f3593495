"""How often: requests a minute, and wrong guesses. In memory: a restart forgives little.

Each try is counted before it is looked at. Counted afterwards, as many as come at once would all be
let through.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from typing import NamedTuple

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

IPV6_NETWORK = 64
"""What one subscriber of IPv6 has at least: its addresses are one guesser's."""

MOST_KEYS = 100_000
"""That are remembered; past that the ones that may try again first are forgotten."""


class Limits:
    """So many a minute."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def hit(self, most: int, *key: str, minutes: int = 1) -> bool:
        """Whether one more is within what so many minutes allow; it is counted."""
        return self._limiter.hit(RateLimitItemPerMinute(most, minutes), *key)


class Pace(NamedTuple):
    """So many wrong guesses are free; after them each doubles the wait, up to the longest."""

    free: int
    first_s: float
    longest_s: float
    forgets_s: float = 86_400.0
    forgives_one_s: float | None = None
    """One wrong guess less is counted each so many seconds: for what many people share, so that
    their slips do not add up."""


class _Tries(NamedTuple):
    wrong: float
    next: float
    at: float
    pace: Pace

    def wrong_now(self, now: float) -> float:
        """How many still count."""
        if now >= self.at + self.pace.forgets_s:
            return 0.0
        each = self.pace.forgives_one_s
        return self.wrong if each is None else max(0.0, self.wrong - (now - self.at) / each)


class Guesses:
    """A growing delay for each key: it slows whoever guesses, and locks nobody out for good."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tries: dict[tuple[str, ...], _Tries] = {}

    def wait(self, *paces: tuple[Pace, tuple[str, ...]]) -> float:
        """Seconds that this guess has to wait; 0 where it may go on, and then it counts as wrong
        for every key until `right` takes it back."""
        now = time.monotonic()
        with self._lock:
            left = max(self._left(key, now) for _, key in paces)
            if left > 0:
                return left
            for pace, key in paces:
                self._count(pace, key, now)
            self._forget(now)
        return 0.0

    def right(self, *keys: tuple[str, ...]) -> None:
        """The guess was right: all that these keys were charged is forgotten."""
        with self._lock:
            for key in keys:
                self._tries.pop(key, None)

    def take_back(self, *keys: tuple[str, ...]) -> None:
        """The guess was not looked at after all, or is not to count: the ones before still do."""
        now = time.monotonic()
        with self._lock:
            for key in keys:
                tries = self._tries.get(key)
                if tries is not None:
                    wrong = max(0.0, tries.wrong_now(now) - 1)
                    self._tries[key] = _Tries(wrong, now, now, tries.pace)

    def _left(self, key: tuple[str, ...], now: float) -> float:
        tries = self._tries.get(key)
        return tries.next - now if tries is not None else 0.0

    def _count(self, pace: Pace, key: tuple[str, ...], now: float) -> None:
        tries = self._tries.get(key)
        wrong = 1.0 if tries is None else tries.wrong_now(now) + 1
        over = math.floor(wrong) - pace.free
        delay = min(pace.longest_s, pace.first_s * 2.0 ** min(over, 40)) if over >= 0 else 0.0
        self._tries[key] = _Tries(wrong, now + delay, now, pace)

    def _forget(self, now: float) -> None:
        if len(self._tries) <= MOST_KEYS:
            return
        late = sorted(self._tries, key=lambda key: self._tries[key].next)
        for key in late[: MOST_KEYS // 10]:
            del self._tries[key]


def network_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, IPV6_NETWORK), strict=False))
    return str(ip)
