"""Says which messages were rejected, a few of each topic at a time: a sender of nothing else would
fill the log."""

from __future__ import annotations

import time
from logging import Logger
from typing import NamedTuple

FEW = 5
"""Lines for one topic in a period."""
PERIOD_S = 600.0
MOST = 1000
"""Topics that are counted apart at a time; the others count as one."""
OTHERS = "other topics"


class _Period(NamedTuple):
    begin: float
    messages: int


class Rejections:
    """For one thread."""

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._periods: dict[str, _Period] = {}

    def add(self, topic: str, error: Exception) -> None:
        now = time.monotonic()
        self._end_periods(now)
        key = topic if topic in self._periods or len(self._periods) < MOST else OTHERS
        period = self._periods.get(key, _Period(now, 0))
        self._periods[key] = period = period._replace(messages=period.messages + 1)
        if period.messages <= FEW:
            last = "; others of this topic are counted for ten minutes" * (period.messages == FEW)
            self._log.warning("%s: rejected: %s%s", topic, error, last)

    def _end_periods(self, now: float) -> None:
        for topic, period in list(self._periods.items()):
            if now - period.begin > PERIOD_S:
                del self._periods[topic]
                if period.messages > FEW:
                    self._log.warning("%s: rejected: %d more", topic, period.messages - FEW)
