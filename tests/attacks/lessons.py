"""Lessons of the simulated classroom as a perfect camera would count them, and their truth.

A camera that errs hides people; the attacks get one that does not.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from edge.camera.classroom import EXPRESSIONS, Classroom
from edge.protocol.messages import UNCERTAIN
from edge.window.tally import Tally
from tests.readings import readings

LABELS = (*EXPRESSIONS, UNCERTAIN)
WINDOW_S = 15
SAMPLES = 5
"""Frames looked at in each window."""

WINDOWS = 180
"""A lesson of 45 minutes."""


@dataclass(frozen=True)
class Window:
    """What was counted, and each seat's expression for most of the window, or None."""

    tally: Tally
    publications: tuple[str | None, ...]


def lesson(seed: int, pace: float, seats: int = 24, windows: int = WINDOWS) -> list[Window]:
    """One lesson; at a higher pace people change their expressions less often."""
    room = Classroom(seats, seed, pace)
    return [_window(room, number * WINDOW_S, seats) for number in range(windows)]


def _window(room: Classroom, begins: float, seats: int) -> Window:
    tally = Tally(EXPRESSIONS)
    sightings: list[Counter[str]] = [Counter() for _ in range(seats)]
    for sample in range(SAMPLES):
        moments = room.at(begins + (sample + 0.5) * WINDOW_S / SAMPLES)
        tally.add(readings(m.expression for m in moments if m.pose == "facing"))
        for seat, moment in enumerate(moments):
            if moment.pose == "facing":
                sightings[seat][moment.expression] += 1
    mostly = SAMPLES // 2 + 1
    labels = tuple(
        counts.most_common(1)[0][0] if sum(counts.values()) >= mostly else None
        for counts in sightings
    )
    return Window(tally, labels)
