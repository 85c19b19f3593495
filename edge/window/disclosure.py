"""What may be said of a window: nothing about few faces, no small cell that stands alone, and no
change that is about few faces.

What may be said of one window by itself is in edge/protocol/counts.py. Two windows that differ by
one face would expose that face, so the expressions are told anew only once enough of them have
changed. `python -m tests.attacks` measures what that leaves to an attacker; the table is in
docs/privacy-audit.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

from edge.protocol.counts import Disclosure, apportion, disclose, withhold
from edge.protocol.messages import OTHER
from edge.window.small_room import Rounding
from edge.window.tally import Tally


class DisclosureControl(Protocol):
    """Decides what is told of each window in turn; it may remember what it told before."""

    def decide(self, tally: Tally) -> Disclosure: ...


SMALL = 15
"""Faces; a room with more is told by its counts, one with so many or fewer by its mixture."""

LEAST_CHANGE = 3
"""Faces that must have changed in the smallest of rooms."""

NOW = 0.5
"""The part of a small room's mixture that is the present one; the rest is that of the lesson."""

LESSON = 180
"""Windows whose mean is the mixture of the lesson: 45 minutes."""


class SteadyDisclosure:
    """Tells how many faces there are now, and their expressions as they were last told, until at
    least `min_change` faces would have to be told otherwise: in a small room, a third of them.

    Who comes or goes is counted at once, but with an expression as the room's others have it. In a
    room of more than SMALL faces what is told is off by fewer than `min_change`, always.
    """

    def __init__(self, min_faces: int = 5, min_cell: int = 3, min_change: int = 5) -> None:
        self._min_faces, self._min_cell, self._min_change = min_faces, min_cell, min_change
        self._mix: Mapping[str, float] | None = None
        self._last_shares: Mapping[str, float] = {}
        """What was seen when the mixture was last told."""
        self._lesson: dict[str, float] = {}
        self._windows = 0
        self._rounding = Rounding(min_cell)

    def decide(self, tally: Tally) -> Disclosure:
        faces, shares = tally.faces, tally.shares()
        if faces < self._min_faces:
            return withhold("few_faces")  # whose expressions must not become the mixture
        self._remember(shares)
        if faces > SMALL:
            return disclose(self.settle(apportion(shares, faces)), self._min_faces, self._min_cell)
        cells = self._rounding.counts(self._settle_small(shares, faces), faces)
        return Disclosure(faces, cells if cells[OTHER] else _without_other(cells), None)

    def settle(self, counts: Mapping[str, int]) -> Mapping[str, int]:
        """As many faces as in `counts`, with the expressions that may be told of them."""
        faces = sum(counts.values())
        if self._mix is not None:
            mixture = apportion(self._mix, faces)
            change = sum(max(0, counts[name] - mixture.get(name, 0)) for name in counts)
            if change < self._min_change:
                return mixture
        if faces:  # nobody is no mixture
            self._mix = self._last_shares = counts
        return counts

    def _settle_small(self, shares: Mapping[str, float], faces: int) -> Mapping[str, float]:
        """The mixture that may be told, from that of the window."""
        least_change = max(LEAST_CHANGE, math.ceil(faces * self._min_change / SMALL))
        if self._mix is not None:
            before = sum(self._last_shares.values())
            apart = sum(
                abs(part - self._last_shares.get(n, 0.0) / before) for n, part in shares.items()
            )
            if apart / 2 * faces < least_change:
                return self._mix
        self._last_shares = shares
        self._mix = {
            name: NOW * part + (1 - NOW) * self._lesson[name] for name, part in shares.items()
        }
        self._rounding.forget()
        return self._mix

    def _remember(self, shares: Mapping[str, float]) -> None:
        self._windows = min(LESSON, self._windows + 1)
        for name, part in shares.items():
            before = self._lesson.get(name, 0.0)
            self._lesson[name] = before + (part - before) / self._windows


def _without_other(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if name != OTHER}
