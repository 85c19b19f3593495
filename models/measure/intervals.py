"""How far a figure may be off, and whether groups differ by more than chance.

Faces of one person are not independent, so people, not faces, are drawn and shuffled where it is
known who is who.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
LEVEL = 95


def bootstrap(
    figure: Callable[[NDArray[np.intp]], float],
    units: NDArray[np.intp],
    draws: int = DRAWS,
    seed: int = 1,
) -> tuple[float, float]:
    """The 95 % percentile interval of `figure(rows)` (Efron 1979), drawing units with replacement.

    `units` (N,) numbers the person, or whatever is independent, that each row belongs to.
    """
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(units == unit) for unit in np.unique(units)]
    single = all(len(rows) == 1 for rows in members)
    values = []
    for _ in range(draws):
        sample = rng.integers(0, len(members), len(members))
        rows = sample if single else np.concatenate([members[at] for at in sample])
        values.append(figure(rows))
    low, high = np.percentile(values, [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    return round(float(low), 4), round(float(high), 4)


def differ(
    right: NDArray[np.bool_],
    group: NDArray[np.str_],
    units: NDArray[np.intp],
    draws: int = DRAWS,
    seed: int = 1,
) -> float:
    """The p-value of a permutation test (Fisher 1935) that groups are right equally often.

    The statistic is the spread of the groups' accuracies about the whole, weighted by their size;
    group names are shuffled among units.
    """
    rng = np.random.default_rng(seed)
    first = np.array([np.flatnonzero(units == unit)[0] for unit in np.unique(units)])
    place = np.searchsorted(np.unique(units), units)
    names, of_unit = np.unique(group[first], return_inverse=True)
    overall = right.mean()

    def spread(assignment: NDArray[np.intp]) -> float:
        of_row = assignment[place]
        size = np.bincount(of_row, minlength=len(names))
        hits = np.bincount(of_row, right, minlength=len(names))
        mask = size > 0
        return float((size[mask] * (hits[mask] / size[mask] - overall) ** 2).sum())

    statistic = spread(of_unit)
    as_far = sum(spread(rng.permutation(of_unit)) >= statistic - 1e-12 for _ in range(draws))
    return round((as_far + 1) / (draws + 1), 4)
