"""What may be said of a window: nothing about few faces, no small cell that stands alone, and no
change that is about few faces.

What may be said of one window by itself is in edge/protocol/counts.py. Two windows that differ by
one face would expose that face, so the expressions are told anew only once enough of them have
changed. `python -m tests.attacks` measures what that leaves to an attacker; docs/privacy.md has
the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from edge.protocol.counts import Disclosure, apportion, disclose
from edge.window.tally import Tally


class DisclosureControl(Protocol):
    """Decides what is told of each window in turn; it may remember what it told before."""

    def tell(self, tally: Tally) -> Disclosure: ...


class SteadyDisclosure:
    """Tells how many faces there are now, and their expressions as they were last told, until at
    least `min_change` faces would have to be told otherwise.

    Who comes or goes is counted at once, but with an expression as the room's others have it. What
    is told is off by fewer than `min_change` faces, always.
    """

    def __init__(self, min_faces: int = 5, min_cell: int = 3, min_change: int = 5) -> None:
        self._min_faces, self._min_cell, self._min_change = min_faces, min_cell, min_change
        self._mix: Mapping[str, int] | None = None

    def tell(self, tally: Tally) -> Disclosure:
        return disclose(self.settle(tally.typical()), self._min_faces, self._min_cell)

    def settle(self, counts: Mapping[str, int]) -> Mapping[str, int]:
        """As many faces as in `counts`, with the expressions that may be told of them."""
        faces = sum(counts.values())
        if faces < self._min_faces:
            return counts  # which is withheld; its expressions must not become the mix
        if self._mix is not None:
            told = apportion(self._mix, faces)
            changed = sum(max(0, counts[name] - told.get(name, 0)) for name in counts)
            if changed < self._min_change:
                return told
        self._mix = counts
        return counts
