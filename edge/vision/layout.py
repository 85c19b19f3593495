"""Where in this room faces are, and how large: learnt, from sizes and places alone.

A camera that hangs in a classroom sees far rows small and near ones large, every day. Searching
each height of the picture for the sizes that occur there costs a fraction of searching it for all.
It is the one thing that outlives a window; it stays in this process, or in the settings, where
`roommood agent aim` puts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edge.camera.base import Grey
from edge.vision.faces import Box, is_near

BANDS = 18
"""Heights of the picture that are told apart."""

ENOUGH = 3
"""Faces seen at a height before its sizes are believed."""

SMALLER, LARGER = 0.8, 1.3
"""Faces may be so much smaller or larger than those seen at their height."""

FORGET_AFTER = 20
"""Windows without a face after which a place is like any other."""

Zone = tuple[float, float, float, float]
"""left, top, width, height, as shares of the frame."""


class Row(NamedTuple):
    """A stretch of the picture's height, as shares, and the widths of faces there, shares of it."""

    top: float
    bottom: float
    smallest: float
    largest: float


class Strip(NamedTuple):
    """What is to be searched: from `top` to `bottom`, for faces of these widths, all in pixels."""

    top: int
    bottom: int
    smallest: int
    largest: int


@dataclass
class Place:
    """Somewhere a face has been, and for how many windows none has been there since."""

    box: Box
    empty: int = 0


class Layout:
    """Sizes by height, and places. Rows that are known beforehand count as seen."""

    def __init__(self, rows: Sequence[Row] = (), blank: Sequence[Zone] = ()) -> None:
        self._blank = tuple(blank)
        self._places: list[Place] = []
        self._sizes: list[list[float]] = [[] for _ in range(BANDS)]
        for row in rows:
            for band in range(int(row.top * BANDS), min(BANDS, int(row.bottom * BANDS) + 1)):
                self._sizes[band] += [row.smallest, row.largest] * ENOUGH

    def blank(self, frame: Grey) -> None:
        """Overwrites the zones that nobody may look at."""
        height, width = frame.shape
        for left, top, wide, high in self._blank:
            rows = slice(int(top * height), int((top + high) * height) + 1)
            frame[rows, int(left * width) : int((left + wide) * width) + 1] = 0

    def learn(self, faces: Sequence[Box], height: int) -> None:
        """One window's certain faces, of people who sit."""
        self.learn_sizes(faces, height)
        self.learn_places(faces)

    def learn_sizes(self, faces: Iterable[Box], height: int) -> None:
        """Sizes by height, the last few of each."""
        for box in faces:
            band = self._sizes[min(BANDS - 1, int((box.y + box.height / 2) / height * BANDS))]
            band.append(box.width / height)
            del band[:-50]

    def learn_places(self, faces: Iterable[Box]) -> None:
        """Where somebody sat in a window; where nobody has for long is no place any more."""
        for place in self._places:
            place.empty += 1
        for face in faces:
            box = face._replace(tilt=0.0)
            match = next((place for place in self._places if is_near(place.box, box)), None)
            if match is None:
                self._places.append(Place(box))
            else:
                match.box, match.empty = _between(match.box, box), 0
        self._places = [place for place in self._places if place.empty < FORGET_AFTER]

    @property
    def places(self) -> list[Box]:
        """Where faces have been in the last windows."""
        return [place.box for place in self._places]

    @property
    def rows(self) -> list[Row]:
        """What is known: one row for each height at which faces are."""
        return [
            Row(band / BANDS, (band + 1) / BANDS, min(widths), max(widths))
            for band, widths in enumerate(self._sizes)
            if len(widths) >= ENOUGH
        ]

    def strips(self, height: int, least: int) -> list[Strip]:
        """What to search of a frame so high: neighbouring rows whose faces are about as large.

        Empty where nothing is known yet. `least` is the smallest width that is looked for at all.
        """
        strips: list[Strip] = []
        for row in self.rows:
            small = max(least, int(row.smallest * SMALLER * height))
            large = max(small + 1, int(row.largest * LARGER * height))
            # A face whose centre is in the row, and that moved by half a face, is in the strip.
            top = max(0, int(row.top * height) - large)
            bottom = min(height, int(row.bottom * height) + large)
            last = strips[-1] if strips else None
            if (
                last
                and top < last.bottom
                and large < 1.5 * last.largest
                and small > last.smallest / 1.5
            ):
                strips[-1] = Strip(
                    last.top, bottom, min(last.smallest, small), max(last.largest, large)
                )
            else:
                strips.append(Strip(top, bottom, small, large))
        return strips


def _between(before: Box, now: Box) -> Box:
    """Most of what was, some of what is: one window's turn of a head is not a place."""
    return Box(*(round(0.7 * a + 0.3 * b) for a, b in zip(before[:4], now[:4], strict=True)))
