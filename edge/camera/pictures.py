"""A picture, or a folder of pictures, as a camera: each is shown for two seconds, then again."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import cv2

from edge.camera import PICTURES
from edge.camera.base import Grey
from edge.common.errors import UserError

SHOWN_S = 2.0
PERIOD_S = 0.1


class Pictures:
    """Ten frames a second of the picture whose turn it is, in the order of their names."""

    def __init__(self, path: Path) -> None:
        files = path.iterdir() if path.is_dir() else [path]
        self._files = sorted(file for file in files if file.suffix.lower() in PICTURES)
        if not self._files:
            raise UserError(
                "contains no picture", path, f"put {', '.join(sorted(PICTURES))} files there"
            )
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
            file = next(self._turn)
            picture = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
            if picture is None:
                raise UserError("not a readable picture", file, "remove or convert it")
            self.close()
            self._picture = picture  # type: ignore[assignment]  # cv2 types any dtype
            self._until = time.monotonic() + SHOWN_S
        assert self._picture is not None  # set above at the first read
        return self._picture.copy()

    def close(self) -> None:
        if self._picture is not None:
            self._picture.fill(0)
        self._picture = None


def camera(path: str) -> Pictures:
    return Pictures(Path(path))
