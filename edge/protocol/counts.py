"""Counts that may be published: whole, and none so small that it is about somebody.

Education statistics suppress small counts, and need complementary suppression, because a total
exposes one hidden cell. Here the total is published, so what small cells are merged into must not
be small either. Faces are counted by this rule on the device, check-ins in the collector.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from edge.protocol.messages import OTHER, UNCERTAIN, WithholdReason


class Disclosure(NamedTuple):
    """The three fields of a mood that say what was seen."""

    faces: int | None
    counts: dict[str, int] | None
    withheld: WithholdReason | None


def withhold(why: WithholdReason) -> Disclosure:
    return Disclosure(None, None, why)


def headcount(faces: int, min_faces: int = 5) -> Disclosure:
    """The number of faces and nothing else, or nothing of few."""
    return withhold("few_faces") if faces < min_faces else Disclosure(faces, None, "headcount_only")


def disclose(counts: Mapping[str, int], min_faces: int = 5, min_cell: int = 3) -> Disclosure:
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
    cells = {name: count if count >= min_cell else 0 for name, count in labels.items()}
    other = faces - sum(cells.values())
    unanimous = any(count == faces for name, count in cells.items() if name != UNCERTAIN)
    if other == 0 and not unanimous:
        return Disclosure(faces, cells, None)
    while other < min_cell:
        lender = max(cells, key=lambda name: (name == UNCERTAIN and cells[name] > 0, cells[name]))
        lent = min_cell - other
        if cells[lender] - lent < min_cell:
            lent = cells[lender]  # a cell that would become small is merged whole
        cells[lender] -= lent
        other += lent
    return Disclosure(faces, {**cells, OTHER: other}, None)


def apportion(weights: Mapping[str, float], total: int) -> dict[str, int]:
    """Whole numbers in proportion to `weights` that sum to `total`, by largest remainders."""
    whole = sum(weights.values())
    if whole <= 0 or total <= 0:
        return dict.fromkeys(weights, 0)
    exact = {name: weight * total / whole for name, weight in weights.items()}
    counts = {name: int(share) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: counts[name] - exact[name])
    for name in by_remainder[: total - sum(counts.values())]:
        counts[name] += 1
    return counts
