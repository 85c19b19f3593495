"""The script of the simulated classroom: who sits where, and looks how, at any moment.

The same seats and seed always give the same lesson, so a test can ask for the truth of any moment.
"""

from __future__ import annotations

import bisect
import math
import random
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

EXPRESSIONS = ("neutral", "happy", "surprise")
"""The expressions that drawn faces are read as intended."""

Pose = Literal["away", "turned", "facing"]

SEATS_PER_ROW = 8


class Moment(NamedTuple):
    """A seat at a moment: nobody there, turned away, or facing the camera with an expression."""

    pose: Pose
    expression: str


class SeatPosition(NamedTuple):
    """A seat's place in the frame: centre and width of the face that sits there, pixels."""

    x: float
    y: float
    width: float


@dataclass
class Script:
    """One seat's lesson, written as far as anyone has asked.

    `pace` stretches it: at 10, an expression lasts one to three minutes.
    """

    random: random.Random
    pace: float = 1.0
    starts: list[float] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    until: float = 0.0

    def at(self, second: float) -> Moment:
        while self.until <= second:
            self._continue()
        return self.moments[bisect.bisect_right(self.starts, second) - 1]

    def _continue(self) -> None:
        self.starts.append(self.until)
        luck = self.random.random()
        if len(self.starts) == 1:
            late = luck < 0.15
            self._next(Moment("away", "neutral"), (5, 25) if late else (0.2, 1.5))
        elif luck < 0.08:
            self._next(Moment("turned", "neutral"), (1.5, 4))
        elif luck < 0.09:
            self._next(Moment("away", "neutral"), (8, 20))
        else:
            self._next(Moment("facing", self._expression()), (5, 15))

    def _next(self, moment: Moment, between: tuple[float, float]) -> None:
        self.moments.append(moment)
        self.until += self.random.uniform(*between) * self.pace

    def _expression(self) -> str:
        """The room's mood comes in waves that every seat follows loosely."""
        time = self.until / self.pace
        happy = 0.28 + 0.2 * math.sin(time / 25)
        surprise = 0.14 + 0.12 * math.sin(time / 17 + 2)
        weights = (1 - happy - surprise, happy, surprise)
        return self.random.choices(EXPRESSIONS, weights)[0]


class Classroom:
    """Seats in rows, the far rows smaller, in a frame of 1280 by 720."""

    WIDTH, HEIGHT = 1280, 720

    def __init__(self, seats: int, seed: int, pace: float = 1.0) -> None:
        self.seats = _places(seats)
        self._scripts = [Script(random.Random(f"{seed}/{number}"), pace) for number in range(seats)]

    def at(self, second: float) -> list[Moment]:
        """Every seat's moment, in the order of `seats`."""
        return [script.at(second) for script in self._scripts]

    def truth(self, second: float) -> dict[str, int]:
        """How many faces look at the camera with each expression."""
        facing = [moment.expression for moment in self.at(second) if moment.pose == "facing"]
        return {name: facing.count(name) for name in EXPRESSIONS}


def _places(seats: int) -> list[SeatPosition]:
    rows = math.ceil(seats / SEATS_PER_ROW)
    places = []
    for row in range(rows):
        near = (row + 1) / rows  # the last row is the nearest
        count = seats // rows + (1 if row < seats % rows else 0)
        y = Classroom.HEIGHT * (0.62 if rows == 1 else 0.27 + 0.45 * row / (rows - 1))
        width = 50 + 26 * near
        pitch = min(155.0, Classroom.WIDTH * (0.8 + 0.14 * near) / count)
        stagger = pitch * (0.12 if row % 2 else -0.12)
        for place in range(count):
            x = Classroom.WIDTH / 2 + (place - (count - 1) / 2) * pitch + stagger
            places.append(SeatPosition(x, y, width))
    return places
