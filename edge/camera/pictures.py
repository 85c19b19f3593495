"""A picture, or a folder of pictures, as a camera: each is shown for two seconds, then again."""

from __future__ import annotations

import itertools
import logging
import time
from pathlib import Path

import cv2
import numpy as np

from edge.camera import PICTURES, pictures_in
from edge.camera.base import Grey
from edge.camera.capture import SMALLEST
from edge.common.errors import UserError

log = logging.getLogger(__name__)

SHOWN_S = 2.0
PERIOD_S = 0.1


class Pictures:
    """Ten frames a second of the picture whose turn it is, in the order of their names."""

    def __init__(self, path: Path) -> None:
        self._files = pictures_in(path) if path.is_dir() else [path]
        if not self._files:
            raise UserError(
                "contains no picture", path, f"put {', '.join(sorted(PICTURES))} files there"
            )
        self._bad: set[Path] = set()
        """Files that are no pictures, so that each is spoken of once."""
        self._turn = itertools.cycle(self._files)
        self._picture: Grey | None = None
        self._until = 0.0
        self._due = 0.0

    def open(self) -> None:
        self._turn = itertools.cycle(self._files)
        self._picture, self._until, self._due = None, 0.0, time.monotonic()

    def read(self) -> Grey:
        self._due = max(self._due + PERIOD_S, time.monotonic())
        time.sleep(max(0.0, self._due - time.monotonic()))
        if self._picture is None or time.monotonic() >= self._until:
            picture = self._next()
            self.close()
            self._picture = picture
            self._until = time.monotonic() + SHOWN_S
        assert self._picture is not None  # set above at the first read
        return self._picture.copy()

    def _next(self) -> Grey:
        """The next file that is a picture; one that is none does not end the show of the others."""
        for file in itertools.islice(self._turn, len(self._files)):
            picture = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
            fault = _fault(picture)
            if fault is None:
                return np.asarray(picture, np.uint8)
            if len(self._files) == 1:
                raise UserError(fault[0], file, fault[1])
            if file not in self._bad:
                log.warning("%s: left out: %s: %s", file, *fault)
                self._bad.add(file)
        raise UserError(
            "none of its files is a readable picture",
            self._files[0].parent,
            "convert them to JPEG or PNG",
        )

    def close(self) -> None:
        if self._picture is not None:
            self._picture.fill(0)
        self._picture = None


def _fault(picture: object) -> tuple[str, str] | None:
    """Why there is no face to look for in it, and the remedy."""
    if not isinstance(picture, np.ndarray):
        return "not a readable picture", "remove or convert it"
    height, width = picture.shape[:2]
    if min(height, width) < SMALLEST:
        return f"{width}x{height} pixels are too few for a face", f"use {SMALLEST} and more a side"
    return None


def camera(path: str) -> Pictures:
    return Pictures(Path(path))
