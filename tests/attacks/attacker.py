"""Attackers who know the method and have trained on other lessons of the same kind.

Each knows one thing from outside, such as that a pupil came in just now, reads what was published,
and guesses that pupil's expression. How much better than without the publication it guesses is
what the publication gave away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.protocol.counts import Disclosure
from edge.protocol.messages import OTHER
from tests.attacks.lessons import LABELS, Window

CELLS = (*LABELS, OTHER)
APART = 4
"""Windows between the two that are linked: a minute."""

Publications = list[Disclosure]


class Gain(NamedTuple):
    """Share of right guesses, with the published counts and without, over `n` cases."""

    n: int
    guessing: float
    attacking: float

    @property
    def points(self) -> float:
        return 100 * (self.attacking - self.guessing)


class Case(NamedTuple):
    """One pupil, the window it is about, what was known of the pupil before, and the answer."""

    seat: int
    window: int
    truth: str
    answer: str


def arrivals(lesson: Sequence[Window]) -> Iterator[Case]:
    """Singles out who was not there before, and is now."""
    for seat, window, was, shows in _changes(lesson):
        if was is None and shows is not None:
            yield Case(seat, window, "", shows)


def departures(lesson: Sequence[Window]) -> Iterator[Case]:
    """Singles out who was there before, and is not now."""
    for seat, window, was, shows in _changes(lesson):
        if was is not None and shows is None:
            yield Case(seat, window, "", was)


def _changes(lesson: Sequence[Window]) -> Iterator[tuple[int, int, str | None, str | None]]:
    """Seat, window, what the seat showed before it and in it; not at the edges of the lesson."""
    for window in range(APART, len(lesson) - APART - 1):
        before, now = lesson[window - 1].publications, lesson[window].publications
        for seat, (was, shows) in enumerate(zip(before, now, strict=True)):
            yield seat, window, was, shows


def links(lesson: Sequence[Window]) -> Iterator[Case]:
    """Saw a pupil's face once, through the door, and follows it for a minute by the counts."""
    for window in range(2 * APART, len(lesson) - APART - 1, 7):
        seat = window % len(lesson[0].publications)
        was, shows = lesson[window - APART].publications[seat], lesson[window].publications[seat]
        if was is not None and shows is not None:
            yield Case(seat, window, was, shows)


def majorities(lesson: Sequence[Window]) -> Iterator[Case]:
    """Knows only that a pupil is there, and reads the room's majority as the pupil's answer."""
    for window in range(2 * APART, len(lesson) - APART - 1, 7):
        seat = window % len(lesson[0].publications)
        shows = lesson[window].publications[seat]
        if shows is not None:
            yield Case(seat, window, "", shows)


ATTACKS = {
    "arriving": arrivals,
    "leaving": departures,
    "linking": links,
    "majority": majorities,
}


def attack(name: str, lessons: Sequence[list[Window]], disclosures: Sequence[Publications]) -> Gain:
    """Trains on the first half of the lessons, and is scored on the others."""
    cases = [list(ATTACKS[name](lesson)) for lesson in lessons]
    half = len(lessons) // 2
    vectors = [np.array([_vector(one) for one in lesson], np.float64) for lesson in disclosures]
    baselines = [[_truth(case) for case in some] for some in cases]
    read = [
        [np.concatenate([_truth(case), _features(vectors[i], case.window)]) for case in some]
        for i, some in enumerate(cases)
    ]
    answers = [[case.answer for case in some] for some in cases]
    return Gain(
        sum(len(some) for some in cases[half:]),
        _score(baselines, answers, half),
        _score(read, answers, half),
    )


def _score(features: list[list[NDArray[np.float64]]], answers: list[list[str]], half: int) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, test = (
        (
            np.array([x for some in features[part] for x in some]),
            [answer for some in answers[part] for answer in some],
        )
        for part in (slice(half), slice(half, None))
    )
    guesser = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=300))
    return float(guesser.fit(*train).score(*test))


def _truth(case: Case) -> NDArray[np.float64]:
    return np.array([1.0, *(case.truth == label for label in LABELS)])


def _vector(disclosure: Disclosure) -> list[float]:
    if disclosure.counts is None:
        return [-1.0] * len(CELLS)
    return [float(disclosure.counts.get(cell, 0)) for cell in CELLS]


def _features(vectors: NDArray[np.float64], at: int) -> NDArray[np.float64]:
    """The counts before, and each change around the window that the attack is about."""
    changes = [vectors[at + i] - vectors[at + i - 1] for i in (-1, 0, 1, 2)]
    later = [vectors[at + APART] - vectors[at - 1], vectors[at] - vectors[at - APART]]
    return np.concatenate([vectors[at - 1], *changes, *later])
