"""Where the picture has changed since the frame before, so that the rest need not be looked at."""

from __future__ import annotations

import cv2
import numpy as np

from edge.camera.base import Grey
from edge.vision.faces import Box

SHRINK = 8
"""Pixels of the frame that become one: noise is averaged away."""

CHANGED = 10
"""Grey levels; sensor noise of 10 levels is about one after shrinking."""

SHARE = 0.04
"""Of a box's area that has to have changed before it counts as moved."""


class Motion:
    """Keeps one picture, an eighth as wide as the frame, until the next or `forget`."""

    def __init__(self) -> None:
        self._before: Grey | None = None
        self._changed: Grey | None = None

    def see(self, frame: Grey) -> None:
        height, width = frame.shape
        size = (max(1, width // SHRINK), max(1, height // SHRINK))
        small = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
        before, self._before = self._before, small
        if before is None or before.shape != small.shape:
            self._changed = np.full(small.shape, 1, np.uint8)
            return
        difference = np.asarray(cv2.absdiff(small, before), np.uint8)
        self._changed = (difference > CHANGED).astype(np.uint8)
        before.fill(0)

    def in_box(self, box: Box) -> bool:
        """Whether anything has changed there since the frame before."""
        if self._changed is None:
            return True
        x, y = max(0, box.x // SHRINK), max(0, box.y // SHRINK)
        part = self._changed[
            y : (box.y + box.height) // SHRINK + 1, x : (box.x + box.width) // SHRINK + 1
        ]
        return bool(part.size and part.mean() >= SHARE)

    def forget(self) -> None:
        if self._before is not None:
            self._before.fill(0)
        self._before = self._changed = None
