"""Whose face a box is of: of somebody near by, or of somebody who has walked there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge.vision.faces import Box, is_near
from edge.vision.seat import Seat


class Matches(NamedTuple):
    """Seats with the box of each, and the boxes of nobody who is known."""

    pairs: list[tuple[Seat, Box]]
    rest: list[Box]


def in_place(seats: Sequence[Seat], boxes: Iterable[Box]) -> Matches:
    """Each box goes to a seat near by, rather to one that was not missed."""
    pairs: list[tuple[Seat, Box]] = []
    rest: list[Box] = []
    free = sorted(seats, key=lambda seat: seat.misses)
    for box in boxes:
        seat = next((one for one in free if is_near(one.box, box)), None)
        if seat is None:
            rest.append(box)
        else:
            free.remove(seat)
            pairs.append((seat, box))
    return Matches(pairs, rest)


def match_walkers(seats: Sequence[Seat], boxes: Sequence[Box]) -> Matches:
    """Each box goes to the seat from which somebody may have walked there, the nearest first."""
    ways = [
        (way, n, m)
        for n, seat in enumerate(seats)
        for m, box in enumerate(boxes)
        if (way := seat.distance(box)) is not None
    ]
    pairs: dict[int, int] = {}
    for _, n, m in sorted(ways):
        if n not in pairs and m not in pairs.values():
            pairs[n] = m
    rest = [box for m, box in enumerate(boxes) if m not in pairs.values()]
    return Matches([(seats[n], boxes[m]) for n, m in pairs.items()], rest)
