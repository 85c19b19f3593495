"""How many were there, and how many came and went: numbers of the room, of nobody in particular."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from statistics import median
from typing import NamedTuple

EVERY_S = 120.0
"""Readings of so long are one: a head that turns away is no departure."""
LEAST = 2
"""Faces; a smaller change is the detector's, not the class's."""


class Attendance(NamedTuple):
    """Faces at the beginning, now or at the end, and at most; those who came and who left."""

    first: int
    last: int
    most: int
    arrivals: int
    departures: int


def attendance(readings: Iterable[tuple[float, float]]) -> Attendance | None:
    """Of (seconds since 1970, faces) in any order; None where there are none."""
    buckets: dict[int, list[float]] = defaultdict(list)
    for at, faces in readings:
        buckets[int(at // EVERY_S)].append(faces)
    levels = [round(median(faces)) for _, faces in sorted(buckets.items())]
    if not levels:
        return None
    level, arrivals, departures = levels[0], 0, 0
    for now in levels[1:]:
        if now - level >= LEAST:
            arrivals += now - level
        elif level - now >= LEAST:
            departures += level - now
        else:
            continue
        level = now
    return Attendance(levels[0], levels[-1], max(levels), arrivals, departures)
