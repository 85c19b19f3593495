"""A video file as a camera: plays at its own speed and loops."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np

from edge.camera.base import Grey
from edge.camera.container import is_list
from edge.camera.opencv import OpenCvCamera, grey
from edge.common.errors import CameraFault, UserError


class VideoFile(OpenCvCamera):
    """Frames of a file, each at its time; frames that nobody was ready for are skipped."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._period = 1 / 25
        self._due = 0.0

    def open(self) -> None:
        self.close()
        self._refuse_list()
        capture = cv2.VideoCapture(self._path, cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise UserError(
                "not a video that can be played", self._path, "convert it to MP4 (H.264)"
            )
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)  # a film that was held upright stands upright
        rate = capture.get(cv2.CAP_PROP_FPS)
        self._period = 1 / rate if 0.1 <= rate <= 240 else 1 / 25
        self._capture = capture
        self._due = time.monotonic()

    def _refuse_list(self) -> None:
        """FFmpeg would follow it to other files, and to cameras."""
        try:
            leads_elsewhere = Path(self._path).is_file() and is_list(Path(self._path))
        except OSError:
            return  # FFmpeg will fail as well
        if leads_elsewhere:
            raise UserError(
                "not a video but a text, such as a list of streams",
                self._path,
                "name the film itself; a network camera is written as rtsp://…",
            )

    def read(self) -> Grey:
        late = time.monotonic() - self._due
        skips = max(0, int(late / self._period))
        self._due += (skips + 1) * self._period
        for _ in range(skips):
            self._advance()
        self._advance()
        time.sleep(max(0.0, self._due - self._period - time.monotonic()))
        assert self._capture is not None  # _advance has refused a closed camera
        ok, frame = self._capture.retrieve()
        if not ok:
            raise CameraFault("a frame is damaged", self._path, "convert it again to MP4 (H.264)")
        return grey(np.asarray(frame, np.uint8))

    def _advance(self) -> None:
        if self._capture is None:
            raise CameraFault("read before it was opened", self._path, "open it first")
        if self._capture.grab():
            return
        # Opened anew rather than wound back: not every kind of film has an index to wind by.
        due = self._due
        self.open()
        self._due = due
        if not self._capture.grab():
            raise UserError("contains no picture", self._path, "use another video")


def camera(path: str) -> VideoFile:
    return VideoFile(path)
