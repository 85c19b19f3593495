"""The settings of disclosure control that are attacked, and what each costs in error."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.protocol.counts import Disclosure
from edge.protocol.messages import OTHER
from edge.window.disclosure import DisclosureControl, SteadyDisclosure
from edge.window.noise import NoisyDisclosure
from edge.window.tally import Tally
from tests.attacks.lessons import LABELS, WINDOW_S, Window

MINUTE = 60 // WINDOW_S
"""Windows."""


class Nothing:
    """No control at all: what every face shows is told."""

    def decide(self, tally: Tally) -> Disclosure:
        counts = tally.typical()
        return Disclosure(sum(counts.values()), counts, None)


class Noise:
    """Noisy with a clock that ticks once per window, its memory in a folder that goes with it."""

    def __init__(self, epsilon: float) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._time = 0.0
        self._noisy = NoisyDisclosure(
            Path(self._folder.name) / "budget.json",
            LABELS,
            epsilon=epsilon,
            lesson_s=2700,
            releases=3,
            now=lambda: self._time,
        )

    def decide(self, tally: Tally) -> Disclosure:
        self._time += WINDOW_S
        return self._noisy.decide(tally)


CONTROLS: dict[str, Callable[[], DisclosureControl]] = {
    "nothing": Nothing,
    "small cells only": lambda: SteadyDisclosure(min_change=1),
    "min_change 3": lambda: SteadyDisclosure(min_change=3),
    "min_change 5 (default)": SteadyDisclosure,
    "min_change 8": lambda: SteadyDisclosure(min_change=8),
    "noise, epsilon 4": lambda: Noise(4),
}


def publish(
    control: Callable[[], DisclosureControl], lessons: Sequence[list[Window]]
) -> list[list[Disclosure]]:
    """What each lesson's windows tell, each lesson with a control of its own."""
    disclosures = []
    for lesson in lessons:
        instance = control()
        disclosures.append([instance.decide(window.tally) for window in lesson])
    return disclosures


def error(lessons: Sequence[list[Window]], series: Sequence[Sequence[Disclosure]]) -> float:
    """Mean share of a window's faces that are not told under their own label."""
    errors = []
    for lesson, disclosures in zip(lessons, series, strict=True):
        for window, one in zip(lesson, disclosures, strict=True):
            if one.counts is None or one.faces is None:
                continue
            counts = window.tally.typical()
            faces = max(sum(counts.values()), one.faces, 1)
            right = sum(min(n, one.counts.get(label, 0)) for label, n in counts.items())
            errors.append(1 - right / faces)
    return sum(errors) / len(errors) if errors else float("nan")


def minute_error(lessons: Sequence[list[Window]], series: Sequence[Sequence[Disclosure]]) -> float:
    """Mean share of a minute's faces that are not told under their own label in that minute."""
    errors = []
    for lesson, disclosures in zip(lessons, series, strict=True):
        for at in range(0, len(lesson) - MINUTE + 1, MINUTE):
            some = [one for one in disclosures[at : at + MINUTE] if one.counts is not None]
            if len(some) < MINUTE:
                continue
            right, totals = Counter[str](), Counter[str]()
            for window, one in zip(lesson[at : at + MINUTE], some, strict=True):
                right.update(window.tally.typical())
                totals.update(one.counts or {})
            whole, grand_total = right.total(), totals.total()
            if whole:
                alike = sum(
                    min(n / whole, totals[label] / grand_total) for label, n in right.items()
                )
                errors.append(1 - alike)
    return sum(errors) / len(errors) if errors else float("nan")


def other_share(disclosures: Sequence[Sequence[Disclosure]]) -> float:
    """Mean share of the published faces that are told as `other`."""
    shares = [
        one.counts.get(OTHER, 0) / one.faces
        for series in disclosures
        for one in series
        if one.counts is not None and one.faces
    ]
    return sum(shares) / len(shares) if shares else float("nan")
