"""What is told of a room with few faces: a mixture, in numbers that are never small.

In a class of eight the rule for large rooms merges nearly all into `other`. Here every number is a
label's share of a mixture, rounded up or down to nothing or at least `min_cell`, so that over a
minute the numbers are right on average. An expression that no more than a third of `min_cell`
show, which is one face by default, is not told even so: its faces are in `other`.
"""

from __future__ import annotations

from collections.abc import Mapping

from edge.protocol.messages import OTHER, UNCERTAIN

Cells = dict[str, float]


def without_small(mixture: Mapping[str, float], faces: int, min_cell: int) -> Cells:
    """Faces by label, as fractions; those of labels too small to tell are `other`."""
    whole = sum(mixture.values())
    fractions = {name: faces * share / whole for name, share in mixture.items() if name != OTHER}
    cells = {name: n if n > min_cell / 3 else 0.0 for name, n in fractions.items()}
    return {**cells, OTHER: faces - sum(cells.values())}


def round_cells(fractions: Mapping[str, float], faces: int, min_cell: int) -> dict[str, int]:
    """Whole numbers near `fractions` that sum to `faces`, each of them 0 or at least `min_cell`.

    That all show the same is not told, nor that there are two cells where there is room for one.
    """
    order = sorted(
        (name for name in fractions if fractions[name] > 0 or name == OTHER),
        key=lambda name: -fractions[name],
    )
    best: dict[str, int] = {}
    least = float("inf")
    for size in range(1, max(1, min(faces // min_cell, len(order))) + 1):
        counts = dict.fromkeys(fractions, 0) | dict.fromkeys(order[:size], min_cell)
        spare = faces - min_cell * size
        if size == 1:
            alone = order[0] if order[0] in (OTHER, UNCERTAIN) else None
            if alone is None and faces < 2 * min_cell:
                alone = OTHER
            if alone is None:
                continue
            counts = dict.fromkeys(fractions, 0) | {alone: faces}
        else:
            for _ in range(spare):
                short = max(order[:size], key=lambda name: fractions[name] - counts[name])
                counts[short] += 1
        away = sum(abs(counts[name] - fractions[name]) for name in fractions)
        if away < least:
            best, least = counts, away
    return best


class Rounding:
    """Rounds window after window, and makes up in the next for what it gave too much or little."""

    def __init__(self, min_cell: int) -> None:
        self._min_cell = min_cell
        self._debts: Cells = {}

    def forget(self) -> None:
        """Owes nothing: the mixture is another."""
        self._debts = {}

    def counts(self, mixture: Mapping[str, float], faces: int) -> dict[str, int]:
        fractions = without_small(mixture, faces, self._min_cell)
        if self._alone(fractions):
            fractions[OTHER] += float(self._min_cell)  # see `round_cells`: no name is told
        due = {name: n + self._debts.get(name, 0.0) for name, n in fractions.items()}
        for name, n in fractions.items():
            if n == 0:
                due[name] = 0.0  # what nobody shows is never told
        counts = round_cells(due, faces, self._min_cell)
        most = 2.0 * self._min_cell
        self._debts = {
            name: max(-most, min(most, due[name] - counts[name])) for name in due if fractions[name]
        }
        return counts

    def _alone(self, fractions: Cells) -> bool:
        names = [name for name, n in fractions.items() if n > 0]
        return len(names) == 1 and names[0] not in (OTHER, UNCERTAIN)
