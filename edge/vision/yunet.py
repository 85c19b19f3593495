"""YuNet, a small neural face detector, for those who may use it; OpenCV runs it.

    W. Wu, H. Peng, S. Yu, YuNet: A Tiny Millisecond-level Face Detector, 2023

It finds nearly every face, turned ones too, and is the way on when OpenCV 5 leaves Haar behind. The
model is not shipped: `roommood model fetch yunet` gets it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from edge.camera.base import Grey
from edge.common.errors import UserError
from edge.vision.faces import Box
from edge.vision.layout import Strip
from edge.vision.motion import Area

SCORE = 0.6
"""As its authors suggest for images without a selection of their own."""

OVERLAP = 0.3

SMALLEST, KNOWN_SMALLEST = 14, 22
"""Pixels. A face that is shrunk to the first is often found still; one that is shrunk to the second
nearly always, which is what counts once it is known how small faces are in this room."""

LARGEST_PICTURE = 1000 * 562
"""Pixels that a search of known sizes takes at most, however small they are."""

SIDE = 0.9
"""Haar's square box, which packs crop by, is as wide as this share of YuNet's height; the same
middle. Measured on photos_caltech."""


class YuNetSearch:
    """Searches each frame in full, no larger than the smallest face needs."""

    every = 1
    learns_soon = False

    def __init__(self, model: Path | None, min_size: int) -> None:
        if model is None:
            raise UserError(
                "'faces.model' is missing",
                "settings",
                "run `roommood model fetch yunet --out FILE` and name the file there",
            )
        if not model.is_file():
            raise UserError(
                "no such file", model, f"run `roommood model fetch yunet --out {model}`"
            )
        try:
            self._net = cv2.FaceDetectorYN.create(str(model), "", (320, 320), SCORE, OVERLAP)
        except cv2.error as error:
            reason = str(error).strip().splitlines()[-1]
            raise UserError(f"not a YuNet model ({reason})", model, "download it again") from None
        self._least = min_size

    def thorough(self, frame: Grey) -> list[Box]:
        return self._find(frame, SMALLEST / self._least)

    coarse = wide = thorough

    def quick(self, frame: Grey, strips: Sequence[Strip]) -> list[Box]:
        """No strips, but so many pixels as the smallest known faces need.

        A search without that knowledge shrinks the smallest face of the settings as far as it can
        be found, and those of the room are larger: to shrink *them* so far would lose half of them.
        """
        shrink = KNOWN_SMALLEST / min(strip.smallest for strip in strips)
        return self._find(frame, min(shrink, (LARGEST_PICTURE / frame.size) ** 0.5))

    def moving(self, frame: Grey, areas: Sequence[Area], smallest: Sequence[int]) -> list[Box]:
        """Nothing: each frame is searched in full."""
        return []

    def least_moving(self, height: int) -> int:
        return self._least

    def recheck(self, frame: Grey, box: Box, *, closely: bool = True) -> Box | None:
        """Nothing: what the search of a whole frame did not find, a look will not."""
        return None

    def confirms(self, frame: Grey, box: Box) -> bool:
        return True

    def wipe(self, shape: tuple[int, int]) -> None:
        """The network keeps what it last saw: now that is black."""
        self._find(np.zeros(shape, np.uint8), SMALLEST / self._least)

    def _find(self, frame: Grey, shrink: float) -> list[Box]:
        shrink = min(1.0, shrink)
        size = round(frame.shape[1] * shrink), round(frame.shape[0] * shrink)
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA) if shrink < 1 else frame
        self._net.setInputSize(size)
        _, detections = self._net.detect(cv2.cvtColor(small, cv2.COLOR_GRAY2BGR))
        boxes = [] if detections is None else np.asarray(detections)[:, :4] / shrink
        return [_square(*map(float, box)) for box in boxes]


def _square(x: float, y: float, width: float, height: float) -> Box:
    side = SIDE * height
    return Box(
        round(x + width / 2 - side / 2),
        round(y + height / 2 - side / 2),
        max(1, round(side)),
        max(1, round(side)),
    )
