"""The simulated classroom as a camera: `sim:seats=24,seed=1`."""

from __future__ import annotations

import itertools
import math
import time
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.base import Grey
from edge.camera.classroom import Classroom, Moment
from edge.camera.painting import Sprite, desk, looks, person, place, room
from edge.common.errors import UserError

RATE = 10
"""Frames per second."""

MOST_SEATS = 40
NOISE = 2.5
"""Deviation of the sensor's noise, grey levels."""


class SimulatedCamera:
    """Frames of 1280 by 720 of a scripted lesson, which starts anew at each `open`."""

    def __init__(self, seats: int = 24, seed: int = 1) -> None:
        self.classroom = Classroom(seats, seed)
        self._seed = seed
        self._room = room()
        generator = np.random.default_rng(seed)
        shape = (Classroom.HEIGHT + 64, Classroom.WIDTH + 64)
        self._noise = (generator.standard_normal(shape) * NOISE).astype(np.int16)
        self._sprite = lru_cache(maxsize=4 * seats)(self._paint)
        self._frames = itertools.count()
        self._start = 0.0

    def open(self) -> None:
        self._frames = itertools.count()
        self._start = time.monotonic()

    def read(self) -> Grey:
        number = next(self._frames)
        late = time.monotonic() - self._start - number / RATE
        if late < 0:
            time.sleep(-late)
        elif late > 1 / RATE:  # rendering fell behind: go on with the moment that is due
            number += int(late * RATE)
            self._frames = itertools.count(number + 1)
        return self.grey(number / RATE)

    def close(self) -> None:
        pass

    def grey(self, second: float) -> Grey:
        """The luma of a moment, with the sensor's noise."""
        luma = cv2.cvtColor(self.picture(second), cv2.COLOR_BGR2GRAY).astype(np.int16)
        dy, dx = int(second * 7919) % 64, int(second * 104729) % 64
        luma += self._noise[dy : dy + luma.shape[0], dx : dx + luma.shape[1]]
        return np.clip(luma, 0, 255).astype(np.uint8)

    def picture(self, second: float) -> NDArray[np.uint8]:
        """A moment in colour, BGR, without noise."""
        canvas = self._room.copy()
        moments = self.classroom.at(second)
        rows = itertools.groupby(range(len(moments)), key=lambda seat: self.classroom.seats[seat].y)
        for _, row in rows:
            numbers = list(row)
            for number in numbers:
                if moments[number].pose != "away":
                    seat = self.classroom.seats[number]
                    sway = 2.5 * math.sin(second * 0.9 + number * 1.7)
                    nod = 1.5 * math.sin(second * 0.6 + number * 2.3)
                    place(
                        canvas, self._sprite(number, moments[number]), seat.x + sway, seat.y + nod
                    )
            desk(canvas, [self.classroom.seats[number] for number in numbers])
        return canvas

    def _paint(self, number: int, moment: Moment) -> Sprite:
        return person(looks(self._seed, number), moment, self.classroom.seats[number].width)


def camera(options: str) -> SimulatedCamera:
    """From `seats=24,seed=1`; either may be left out."""
    values = {"seats": 24, "seed": 1}
    for option in filter(None, options.split(",")):
        key, _, value = option.partition("=")
        if key not in values or not value.isdigit():
            raise UserError(
                f"unknown option '{option}'", f"sim:{options}", "write sim:seats=24,seed=1"
            )
        values[key] = int(value)
    if not 1 <= values["seats"] <= MOST_SEATS:
        raise UserError("seats are out of range", f"sim:{options}", f"choose 1 to {MOST_SEATS}")
    return SimulatedCamera(**values)
