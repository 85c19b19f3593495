"""Films, frame by frame, as grey pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.common.errors import UserError


class Film:
    """Iterates over (height, width) grey frames; raises UserError for a file that does not play."""

    def __init__(self, path: Path) -> None:
        self._film = cv2.VideoCapture(str(path))
        if not self._film.isOpened():
            raise UserError("not a film that can be played", path, "fetch it again")

    @property
    def rate(self) -> float:
        """Frames per second, 15 where the file does not say."""
        return float(self._film.get(cv2.CAP_PROP_FPS)) or 15.0

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        while True:
            there, frame = self._film.read()
            if not there:
                return
            yield np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)
