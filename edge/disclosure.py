"""What may be said of a window: nothing about few faces, no small cell that stands alone, and no
change that is about few faces.

Education statistics suppress small counts, and need complementary suppression, because a total
exposes one hidden cell. Here the total is published, so what small cells are merged into must not
be small either. Two windows that differ by one face would expose that face, so the expressions
are told anew only once enough of them have changed. `python -m tests.attacks` measures what
that leaves to an attacker; docs/privacy.md has the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from edge.mood import OTHER, UNCERTAIN, Withheld
from edge.tally import Tally, apportion


class Disclosed(NamedTuple):
    """The three fields of a mood that say what was seen."""

    faces: int | None
    counts: dict[str, int] | None
    withheld: Withheld | None


def withhold(why: Withheld) -> Disclosed:
    return Disclosed(None, None, why)


def headcount(faces: int, min_faces: int = 5) -> Disclosed:
    """The number of faces and nothing else, or nothing of few."""
    return withhold("few_faces") if faces < min_faces else Disclosed(faces, None, "headcount_only")


def disclose(counts: Mapping[str, int], min_faces: int = 5, min_cell: int = 3) -> Disclosed:
    """The counts of a window with no cell from 1 to `min_cell` - 1, or withheld.

    Small cells go into `other`. Where they are too few to hide in it, `other` is topped up to
    `min_cell` with faces of the largest cell, `uncertain` first: so a label's count is a lower
    bound, `other` are faces whose label is not told, and how many of them stood alone stays open.
    The same where all faces share a label, which would otherwise tell it of every one of them.
    An `other` among the counts, of windows that were merged, stays hidden in the new one.
    """
    faces = sum(counts.values())
    if faces < min_faces:
        return withhold("few_faces")
    labels = {name: count for name, count in counts.items() if name != OTHER}
    shown = {name: count if count >= min_cell else 0 for name, count in labels.items()}
    other = faces - sum(shown.values())
    unanimous = any(count == faces for name, count in shown.items() if name != UNCERTAIN)
    if other == 0 and not unanimous:
        return Disclosed(faces, shown, None)
    while other < min_cell:
        lender = max(shown, key=lambda name: (name == UNCERTAIN and shown[name] > 0, shown[name]))
        lent = min_cell - other
        if shown[lender] - lent < min_cell:
            lent = shown[lender]  # a cell that would become small is merged whole
        shown[lender] -= lent
        other += lent
    return Disclosed(faces, {**shown, OTHER: other}, None)


class Control(Protocol):
    """Decides what is told of each window in turn; it may remember what it told before."""

    def tell(self, tally: Tally) -> Disclosed: ...


class Steady:
    """Tells how many faces there are now, and their expressions as they were last told, until at
    least `min_change` faces would have to be told otherwise.

    Who comes or goes is counted at once, but with an expression as the room's others have it. What
    is told is off by fewer than `min_change` faces, always.
    """

    def __init__(self, min_faces: int = 5, min_cell: int = 3, min_change: int = 5) -> None:
        self._min_faces, self._min_cell, self._min_change = min_faces, min_cell, min_change
        self._mix: Mapping[str, int] | None = None

    def tell(self, tally: Tally) -> Disclosed:
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
