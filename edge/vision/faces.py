"""Finds faces in a grey frame."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

import cv2

from edge.camera.base import Grey
from edge.common.errors import UserError

NEAR = 0.6
"""A face found within this share of its width is the same one, moved."""


class Box(NamedTuple):
    """A face in a frame, pixels from the top left corner.

    tilt: degrees by which the head leans, counter-clockwise, about the middle of the box.
    """

    x: int
    y: int
    width: int
    height: int
    tilt: float = 0.0


class Detector(Protocol):
    """Finds every face of a (height, width) grey frame, each by itself."""

    def find(self, frame: Grey) -> list[Box]: ...


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    intersection = max(0, width) * max(0, height)
    return intersection / (a.width * a.height + b.width * b.height - intersection)


def is_near(a: Box, b: Box) -> bool:
    """Whether two boxes may be of the same face, moved by a little."""
    apart = max(
        abs(a.x + a.width / 2 - b.x - b.width / 2), abs(a.y + a.height / 2 - b.y - b.height / 2)
    )
    return apart < NEAR * max(a.width, b.width) and overlap(a, b) > 0.1


def cascade(name: str) -> cv2.CascadeClassifier:
    """One of OpenCV's; raises UserError where it ships none.

    OpenCV 5 has no CascadeClassifier and ships no cascades, hence the bound on 4.x.
    """
    path = Path(cv2.__file__).parent / "data" / f"haarcascade_{name}.xml"
    classifier = cv2.CascadeClassifier(str(path))
    if classifier.empty():
        raise UserError("no Haar cascade there", path, "install opencv-python-headless 4.x")
    return classifier


class HaarDetector:
    """OpenCV's frontal Haar cascade (Viola and Jones 2001).

    The defaults are the reference settings: scale 1.1, 5 detections, 30 pixels.
    """

    def __init__(
        self, scale_factor: float = 1.1, min_detections: int = 5, min_size: int = 30
    ) -> None:
        self._cascade = cascade("frontalface_default")
        self._scale_factor = scale_factor
        self._min_detections = min_detections
        self._min_size = (min_size, min_size)

    def find(self, frame: Grey) -> list[Box]:
        detections = self._cascade.detectMultiScale(
            frame,
            scaleFactor=self._scale_factor,
            minNeighbors=self._min_detections,
            minSize=self._min_size,
        )
        return [Box(*map(int, box)) for box in detections]
