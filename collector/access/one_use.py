"""Numbers that are good once: who plays an answer to one again is told no."""

from __future__ import annotations

import secrets
import threading
import time

LASTS_S = 3600.0
"""For whoever has to look for their telephone meanwhile."""

MOST_NUMBERS = 100_000
"""That are remembered; past that the oldest go, and what is older still is refused."""


class OneUseNumbers:
    """Of one run of the collector: those of the run before are not good any more.

    They do not prove who asked; whoever gives them out keeps them with the browser, sealed.
    """

    def __init__(self) -> None:
        self._run = secrets.token_hex(8)
        self._lock = threading.Lock()
        self._count = self._floor = 0
        self._used_numbers: dict[int, None] = {}

    def new(self) -> str:
        with self._lock:
            self._count += 1
            return f"{self._run}.{self._count}.{time.monotonic():.0f}.{secrets.token_urlsafe(24)}"

    def use(self, number: str) -> bool:
        """Whether it is good; from then on it is not."""
        run, _, rest = number.partition(".")
        count, _, rest = rest.partition(".")
        start, _, _ = rest.partition(".")
        if run != self._run or not (count.isdecimal() and start.isdecimal()):
            return False
        with self._lock:
            place = int(count)
            if place <= self._floor or place in self._used_numbers:
                return False
            self._used_numbers[place] = None
            if len(self._used_numbers) > MOST_NUMBERS:
                self._floor = min(self._used_numbers)
                del self._used_numbers[self._floor]
        return time.monotonic() - int(start) <= LASTS_S
