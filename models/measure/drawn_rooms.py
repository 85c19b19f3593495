"""Rooms drawn from labelled faces: what a room's shares are, and what is estimated of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.window.reading import FaceReading, face_reading
from edge.window.tally import Tally
from models.measure.evaluate import Scores

ROOMS = 300
SIZES = (12, 24)
SPREAD = 3.0
"""How alike the rooms are to the faces at large: of a Dirichlet distribution about their shares."""


class DrawnRoom(NamedTuple):
    """One frame of faces, and how many of them truly show what."""

    readings: list[FaceReading]
    true: Counter[str]

    def tally(self, labels: tuple[str, ...], usual: tuple[float, ...]) -> Tally:
        """As a device would count them."""
        tally = Tally(labels, usual)
        tally.add(self.readings)
        return tally


def draw(
    scores: Scores, labels: tuple[str, ...], threshold: float, rooms: int = ROOMS, seed: int = 1
) -> Iterator[DrawnRoom]:
    """Rooms of faces in mixtures about that of all of them."""
    rng = np.random.default_rng(seed)
    usual = np.bincount(scores.truth, minlength=len(labels)) / len(scores.truth)
    among = [np.flatnonzero(scores.truth == label) for label in range(len(labels))]
    there = np.array([len(some) > 0 for some in among])
    for _ in range(rooms):
        mixture = rng.dirichlet(np.maximum(SPREAD * usual, 1e-6)) * there
        true = rng.choice(len(labels), rng.choice(SIZES), p=mixture / mixture.sum())
        who = [int(rng.choice(among[label])) for label in true]
        readings = [face_reading(scores.shares[at].tolist(), labels, threshold) for at in who]
        yield DrawnRoom(readings, Counter(labels[label] for label in true))


def spread(scores: Scores, labels: tuple[str, ...], usual: tuple[float, ...]) -> float:
    """How much wider estimated shares scatter than those of as many faces that are surely read."""
    errors, chance = 0.0, 0.0
    for room in draw(scores, labels, threshold=0):
        tally = room.tally(labels, usual)
        faces = sum(room.true.values())
        estimate = _shares(tally.typical(), labels)
        true = _shares(room.true, labels)
        errors += float(((estimate - true) ** 2).sum())
        chance += float((true * (1 - true)).sum()) / faces
    return round(1 + errors / max(chance, 1e-9), 2)


def _shares(counts: dict[str, int], labels: tuple[str, ...]) -> NDArray[np.float64]:
    numbers = np.array([counts.get(label, 0) for label in labels], float)
    shares: NDArray[np.float64] = numbers / max(numbers.sum(), 1)
    return shares
