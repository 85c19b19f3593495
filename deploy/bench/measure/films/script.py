"""Who is where, turned how, at any moment of a film: each kind of film is one way of moving.

The same kind, people and seed always give the same film.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

WIDTH, HEIGHT = 1280, 720

TILT, TURN = 28.0, 25.0
"""Degrees that a head leans to a side, and turns to a side, at most."""

SLOW, FAST = 0.8, 5.0
"""Face widths a second: strolling, and crossing the room."""


class Pose(NamedTuple):
    """A person at a moment: the face's middle and width, pixels; degrees; pixels a second.

    `absent` who has left the picture for a while.
    """

    x: float
    y: float
    width: float
    tilt: float = 0.0
    turn: float = 0.0
    speed: float = 0.0
    look: int = 0
    absent: bool = False


@dataclass
class Wander:
    """A value that holds for some seconds, then goes over to another within half a second."""

    chance: random.Random
    choose: Callable[[random.Random], float]
    hold: tuple[float, float]
    over_s: float = 0.5
    _starts: list[float] = field(default_factory=lambda: [0.0])
    _values: list[float] = field(default_factory=list)

    def at(self, second: float) -> float:
        if not self._values:
            self._values.append(self.choose(self.chance))
        while self._starts[-1] <= second:
            self._starts.append(self._starts[-1] + self.chance.uniform(*self.hold))
            self._values.append(self.choose(self.chance))
        now = next(n for n in range(len(self._starts) - 1, -1, -1) if self._starts[n] <= second)
        if now == 0:
            return self._values[0]
        part = min(1.0, (second - self._starts[now]) / self.over_s) if self.over_s else 1.0
        part = part * part * (3 - 2 * part)
        return self._values[now - 1] + part * (self._values[now] - self._values[now - 1])


Move = Callable[[float], Pose]


def seats(people: int) -> list[tuple[float, float, float]]:
    """Places in rows, the far ones smaller: the middle and width of the face at each."""
    rows = max(1, round(math.sqrt(people / 2.2)))
    places = []
    for row in range(rows):
        count = people // rows + (1 if row < people % rows else 0)
        near = (row + 1) / rows
        width = min(78.0, 0.42 * WIDTH / max(count, people / rows)) * (0.75 + 0.25 * near)
        y = HEIGHT * (0.45 if rows == 1 else 0.16 + 0.58 * row / (rows - 1))
        pitch = WIDTH * 0.92 / count
        shift = pitch * (0.12 if row % 2 else -0.12)
        places += [
            (WIDTH / 2 + (n - (count - 1) / 2) * pitch + shift, y, width) for n in range(count)
        ]
    return places


def moves(kind: str, people: int, seed: int) -> list[Move]:
    """The ways of all, from the one farthest away to the nearest; `kind` is one of KINDS."""
    place = seats(people)
    chance = [random.Random(f"{kind} {seed}/{n}") for n in range(people)]
    return [KINDS[kind](n, place, chance[n]) for n in range(people)]


def _sway(place: tuple[float, float, float], number: int, second: float) -> tuple[float, float]:
    """Nobody sits quite still."""
    x, y, width = place
    phase = 1.7 * number
    return (
        x + 0.05 * width * math.sin(0.9 * second + phase),
        y + 0.03 * width * math.sin(0.6 * second + 1.3 * phase),
    )


def _still(number: int, places: Sequence[tuple[float, float, float]], r: random.Random) -> Move:
    """Sits; leaves now and then for two to five seconds."""
    away = Wander(r, lambda r: float(r.random() < 0.1), (2, 5), 0)

    def at(second: float) -> Pose:
        x, y = _sway(places[number], number, second)
        return Pose(x, y, places[number][2], absent=away.at(second) > 0.5)

    return at


def _tilt(number: int, places: Sequence[tuple[float, float, float]], r: random.Random) -> Move:
    """Sits, the head upright or leaning to a side."""
    tilt = Wander(r, lambda r: r.uniform(-TILT, TILT), (2, 5))

    def at(second: float) -> Pose:
        x, y = _sway(places[number], number, second)
        return Pose(x, y, places[number][2], tilt=tilt.at(second))

    return at


def _turn(number: int, places: Sequence[tuple[float, float, float]], r: random.Random) -> Move:
    """Sits, and looks to a side now and then."""
    turn = Wander(r, lambda r: r.choice((0.0, r.uniform(-TURN, TURN))), (2, 5))

    def at(second: float) -> Pose:
        x, y = _sway(places[number], number, second)
        return Pose(x, y, places[number][2], turn=turn.at(second))

    return at


def _walk(number: int, places: Sequence[tuple[float, float, float]], r: random.Random) -> Move:
    """Walks through, again and again, in a lane that shows those behind between those in front."""
    lane = number / max(1, len(places) - 1)
    width = (44 + 46 * lane) * min(1.0, 3.5 / math.sqrt(len(places)))
    y = HEIGHT * (0.2 + 0.5 * lane)
    speed = r.uniform(SLOW, FAST) * width * r.choice((-1, 1))
    way, begin = WIDTH + 2.4 * width + r.uniform(0, 200), r.random()
    step = r.uniform(1.4, 2.0)

    def at(second: float) -> Pose:
        x = (begin * way + speed * second) % way - 1.2 * width
        bob = 0.06 * width * math.sin(2 * math.pi * step * second)
        return Pose(x, y + bob, width, tilt=2.5 * math.sin(math.pi * step * second), speed=speed)

    return at


def _near(number: int, places: Sequence[tuple[float, float, float]], r: random.Random) -> Move:
    """Comes nearer until the face is more than twice as wide, and goes back."""
    x, y, width = places[number]
    period, phase = r.uniform(12, 30), r.random()
    most = min(2.4, 170 / width)

    def at(second: float) -> Pose:
        near = 0.5 - 0.5 * math.cos(2 * math.pi * (second / period + phase))
        sx, sy = _sway((x, y, width), number, second)
        return Pose(sx, sy + 0.5 * near * width, width * (1 + (most - 1) * near))

    return at


def _hide(number: int, places: Sequence[tuple[float, float, float]], r: random.Random) -> Move:
    """Rocks to and fro before those who sit behind."""
    x, y, width = places[number]
    period, phase = r.uniform(6, 14), r.random()

    def at(second: float) -> Pose:
        aside = 1.3 * width * math.sin(2 * math.pi * (second / period + phase))
        return Pose(x + aside, HEIGHT * 0.3 + 0.6 * (y - HEIGHT * 0.3), width)

    return at


KINDS: dict[str, Callable[[int, Sequence[tuple[float, float, float]], random.Random], Move]] = {
    "still": _still,
    "walk": _walk,
    "tilt": _tilt,
    "turn": _turn,
    "near": _near,
    "hide": _hide,
}
"""Ways of moving; `dim`, a light, goes with each of them."""
