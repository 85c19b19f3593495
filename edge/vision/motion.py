"""Where the picture has changed since the frame before, so that the rest need not be looked at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np

from edge.camera.base import Grey
from edge.vision.faces import Box

SHRINK = 8
"""Pixels of the frame that become one: noise is averaged away."""

CHANGE, CHANGED_DIM, CHANGED_SHARE = 10, 4, 0.1
"""Grey levels, of which in the dark a tenth is enough; sensor noise of 10 levels is about one after
shrinking."""

SHARE = 0.04
"""Of a box's area that has to have changed before it counts as moved."""

ASIDE, ABOVE, BELOW = 0.5, 0.7, 1.2
"""How far a person goes on around a face, as shares of its width and height: hair and shoulders.
No farther: somebody may sit in front."""

FEWEST = 5
"""Changed pixels of the small picture that are worth a search: a third of the smallest face."""

REACH = 2
"""Changed pixels so near to each other, in the small picture, are of one area."""


class Area(NamedTuple):
    """A part of the frame, pixels; `right` and `bottom` are the first outside of it."""

    left: int
    top: int
    right: int
    bottom: int


class Motion:
    """Keeps one picture, an eighth as wide as the frame, until the next or `forget`."""

    def __init__(self) -> None:
        self._before: Grey | None = None
        self._change: Grey | None = None
        self._first = True

    def update(self, frame: Grey) -> None:
        height, width = frame.shape
        size = (max(1, width // SHRINK), max(1, height // SHRINK))
        small = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
        before, self._before = self._before, small
        self._first = before is None or before.shape != small.shape
        if before is None or self._first:
            self._change = np.full(small.shape, 1, np.uint8)
            return
        difference = np.asarray(cv2.absdiff(small, before), np.uint8)
        enough = np.clip(CHANGED_SHARE * np.maximum(small, before), CHANGED_DIM, CHANGE)
        self._change = (difference > enough).astype(np.uint8)
        before.fill(0)

    def in_box(self, box: Box) -> bool:
        """Whether anything has changed there since the frame before."""
        return self.share(box) >= SHARE

    def share(self, box: Box) -> float:
        """How much of a box has changed; all of it where there is nothing to compare with."""
        if self._change is None:
            return 1.0
        part = self._change[_rows(box.y, box.y + box.height), _rows(box.x, box.x + box.width)]
        return float(part.mean()) if part.size else 0.0

    def areas(self, faces: Iterable[Box]) -> list[Area]:
        """Where the picture has changed, but for the people whose `faces` they are.

        Empty while there is nothing to compare with.
        """
        if self._change is None or self._first:
            return []
        rest = self._change.copy()
        for box in faces:
            aside = ASIDE * box.width
            rows = _rows(box.y - ABOVE * box.height, box.y + (1 + BELOW) * box.height)
            rest[rows, _rows(box.x - aside, box.x + box.width + aside)] = 0
        near = cv2.dilate(rest, np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8))
        _, labels, stats, _ = cv2.connectedComponentsWithStats(near)
        counts = np.bincount(np.asarray(labels)[rest > 0], minlength=len(stats))
        areas = []
        for (left, top, wide, high, _), count in zip(stats[1:], counts[1:], strict=True):
            if count >= FEWEST:
                areas.append(
                    Area(
                        SHRINK * int(left),
                        SHRINK * int(top),
                        SHRINK * int(left + wide),
                        SHRINK * int(top + high),
                    )
                )
        return join(areas)

    def forget(self) -> None:
        if self._before is not None:
            self._before.fill(0)
        self._before = self._change = None


def _rows(begin: float, end: float) -> slice:
    return slice(max(0, int(begin) // SHRINK), max(0, int(end) // SHRINK + 1))


def join(areas: Iterable[Area]) -> list[Area]:
    """Areas that overlap become one, which holds both."""
    rest: list[Area] = []
    for area in areas:
        one = area
        while other := next((two for two in rest if _meet(one, two)), None):
            rest.remove(other)
            one = Area(
                min(one.left, other.left),
                min(one.top, other.top),
                max(one.right, other.right),
                max(one.bottom, other.bottom),
            )
        rest.append(one)
    return rest


def _meet(a: Area, b: Area) -> bool:
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom
