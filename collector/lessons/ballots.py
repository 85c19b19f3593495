"""One answer for each device and round, and nothing in what is shown that gives one away.

A browser that opens the question is given a ballot, a number drawn at random, in its cookie. Which
ballots have answered, and what, is known in memory until the round is over, so that a cookie that
is sent again counts once and takes back its own answer alone. Whoever throws cookies away gets
more ballots: so what is shown must not depend much on one answer, whatever all others are known to
be. Each cell is off by a two-sided geometric number: see Ghosh, Roughgarden and Sundararajan
(2009), "Universally utility-maximizing privacy mechanisms".
"""

from __future__ import annotations

import hmac
import random
import threading
from collections.abc import Mapping

from edge.protocol.counts import apportion

THIRDS = 2
"""Of three: how likely an error is to go one further. Two answers are then told apart with odds of
(3/2)² at most, since an answer moves two cells by one each."""


MOST_LESSONS = 1000


class Ballots:
    """Safe to use from several threads; knows the rounds that go on alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[int, tuple[int, dict[str, str]]] = {}

    def use(self, lesson: int, number: int, ballot: str, answer: str) -> bool:
        """Whether it had not answered in this round of this lesson."""
        with self._lock:
            answers = self._of(lesson, number)
            if ballot in answers:
                return False
            answers[ballot] = answer
            return True

    def take_back(self, lesson: int, number: int, ballot: str) -> str | None:
        """What it had answered in this round, if anything; it may answer again."""
        with self._lock:
            return self._of(lesson, number).pop(ballot, None)

    def _of(self, lesson: int, number: int) -> dict[str, str]:
        round_, answers = self._answers.get(lesson, (number, {}))
        if round_ != number:
            answers = {}
        self._answers[lesson] = (number, answers)
        while len(self._answers) > MOST_LESSONS:  # those that began long ago are over
            del self._answers[next(iter(self._answers))]
        return answers


def inexact(counts: Mapping[str, int], key: bytes, about: str) -> dict[str, int]:
    """Counts with errors that are the same at each asking, and sum to as many as before.

    `key` is secret; `about` names what is counted, and nothing else is counted by that name.
    """
    seed = hmac.digest(key, f"check-in {about}".encode(), "sha256")
    draw = random.Random(seed)  # as secret as its seed, which is a key's
    noisy = {name: max(0, count + _error(draw)) for name, count in counts.items()}
    total = sum(counts.values())
    return apportion(noisy if any(noisy.values()) else dict.fromkeys(counts, 1), total)


def _error(draw: random.Random) -> int:
    return _run(draw) - _run(draw)


def _run(draw: random.Random) -> int:
    """How often in a row it goes on."""
    length = 0
    while draw.randrange(3) < THIRDS:
        length += 1
    return length
