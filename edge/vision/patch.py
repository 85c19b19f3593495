"""A small picture of the place around a face, for a closer look at it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from edge.camera.base import Grey
from edge.vision.brightness import lift, white
from edge.vision.faces import NEAR, Box

SMALLER, LARGER = 0.66, 1.4
"""A face may have gone back so far, or come nearer, since it was seen."""


class Patch:
    """The place around a box, the face in it `side` pixels wide and upright; wiped after use.

    around: how much of the picture around the face is shown, as a share of it, on each side.
    turn: degrees by which the head leans: the patch is turned back. equal: contrast is spread
    evenly; otherwise the dark parts are lifted.
    `sizes` are the widths, in the patch, of faces that it may hold.
    """

    def __init__(
        self,
        frame: Grey,
        box: Box,
        side: int,
        around: float,
        *,
        turn: float = 0.0,
        equal: bool = False,
    ) -> None:
        height, width = frame.shape
        dx, dy = int(box.width * around), int(box.height * around)
        # A place may lie outside, where the camera has been changed for another.
        self._left = min(max(0, box.x - dx), width - 1)
        self._top = min(max(0, box.y - dy), height - 1)
        right = max(box.x + box.width + dx, self._left + 1)
        bottom = max(box.y + box.height + dy, self._top + 1)
        part = frame[self._top : bottom, self._left : right]
        self._scale = side / box.width
        size = (
            max(1, round(part.shape[1] * self._scale)),
            max(1, round(part.shape[0] * self._scale)),
        )
        how = cv2.INTER_AREA if self._scale < 1 else cv2.INTER_LINEAR
        self.grey = np.asarray(cv2.resize(part, size, interpolation=how), np.uint8)
        self._now(cv2.equalizeHist(self.grey) if equal else lift(self.grey, white(self.grey)))
        self._turn, self._back = turn, None
        if turn:
            matrix = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), -turn, 1)
            self._back = cv2.invertAffineTransform(matrix)
            self._now(cv2.warpAffine(self.grey, matrix, size, borderMode=cv2.BORDER_REPLICATE))
        self.sizes = round(side * SMALLER), round(side * LARGER)
        self._side = side

    def _now(self, grey: object) -> None:
        before, self.grey = self.grey, np.asarray(grey, np.uint8)
        before.fill(0)

    def __enter__(self) -> Patch:
        return self

    def __exit__(self, *_: object) -> None:
        self.grey.fill(0)

    def middle(self, boxes: Sequence[Box]) -> Box | None:
        """The one nearest to the middle, in the frame: a neighbour's face may show at the edge."""
        height, width = self.grey.shape

        def off(box: Box) -> float:
            return max(
                abs(box.x + box.width / 2 - width / 2), abs(box.y + box.height / 2 - height / 2)
            )

        nearest = min(boxes, key=off, default=None)
        if nearest is None or off(nearest) > NEAR * self._side:
            return None
        x, y = nearest.x + nearest.width / 2, nearest.y + nearest.height / 2
        if self._back is not None:
            x, y = (float(part) for part in self._back @ (x, y, 1))
        wide, high = nearest.width / self._scale, nearest.height / self._scale
        return Box(
            round(self._left + x / self._scale - wide / 2),
            round(self._top + y / self._scale - high / 2),
            round(wide),
            round(high),
            self._turn,
        )
