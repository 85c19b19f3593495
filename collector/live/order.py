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
    began: float,
    known: NumberedWindow,
    known_began: float,
    running: UUID | None = None,
) -> bool:
    """Whether `one` is newer than `known`; times are seconds since 1970.

    Within a run of the agent the number says it. Of two runs the `running` one is newer, and where
    that is not known, the one that began later. No window began after it was received, whatever
    its device's clock said: see `begun`.
    """
    if one.boot == known.boot:
        return one.seq > known.seq
    if running in (one.boot, known.boot):
        return running == one.boot
    return began >= known_began


def begun(start: float, received: float) -> float:
    """When a window can have begun."""
    return min(start, received)
