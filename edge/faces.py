"""Finds faces in a grey frame."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

import cv2

from edge.camera.base import Grey
from edge.errors import Refusal


class Box(NamedTuple):
    """A face in a frame, pixels from the top left corner."""

    x: int
    y: int
    width: int
    height: int


class Detector(Protocol):
    """Finds every face of a (height, width) grey frame."""

    def find(self, frame: Grey) -> list[Box]: ...


class HaarDetector:
    """OpenCV's frontal Haar cascade (Viola and Jones 2001).

    The defaults are the reference settings of the seed project: scale 1.1, 5 neighbours, 30 pixels.
    """

    def __init__(
        self, scale_factor: float = 1.1, min_neighbors: int = 5, min_size: int = 30
    ) -> None:
        # OpenCV 5 has no CascadeClassifier and ships no cascades, hence the bound on 4.x.
        path = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
        self._cascade = cv2.CascadeClassifier(str(path))
        if self._cascade.empty():
            raise Refusal(f"{path}: no Haar cascade there: install opencv-python-headless 4.x")
        self._scale_factor = scale_factor
        self._min_neighbors = min_neighbors
        self._min_size = (min_size, min_size)

    def find(self, frame: Grey) -> list[Box]:
        found = self._cascade.detectMultiScale(
            frame,
            scaleFactor=self._scale_factor,
            minNeighbors=self._min_neighbors,
            minSize=self._min_size,
        )
        return [Box(*map(int, box)) for box in found]
