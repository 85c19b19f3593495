"""Which of two windows is newer: by number, since clocks jump; by time only where numbers cannot
say.
"""

from __future__ import annotations

from typing import Protocol
from uuid import UUID


class NumberedWindow(Protocol):
    """A window, in memory or as it was sent."""

    @property
    def boot(self) -> UUID: ...

    @property
    def seq(self) -> int: ...


def is_newer(
    one: NumberedWindow,
    start: float,
    other: NumberedWindow,
    other_start: float,
    running: UUID | None = None,
) -> bool:
    """Whether `one` is newer than `other`; times are seconds since 1970.

    Within a run of the agent the number says it. Of two runs the `running` one is newer, and where
    that is not known, the one that began later. No window began after it was received, whatever
    its device's clock said: see `begin_of`.
    """
    if one.boot == other.boot:
        return one.seq > other.seq
    if running in (one.boot, other.boot):
        return running == one.boot
    return start >= other_start


def begin_of(start: float, arrival: float) -> float:
    """When a window can have begun."""
    return min(start, arrival)
