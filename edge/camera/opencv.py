"""What the cameras behind OpenCV's VideoCapture share."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from edge.camera.base import Grey
from edge.common.errors import CameraFault


class OpenCvCamera:
    """Holds the capture that a driver's `open` has made."""

    _capture: cv2.VideoCapture | None = None

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _raw(self, what: str, where: str | Path, remedy: str) -> Grey:
        """The next frame in the camera's own layout; raises CameraFault with these without one."""
        ok, frame = self._capture.read() if self._capture is not None else (False, None)
        if not ok or frame is None:
            raise CameraFault(what, where, remedy)
        return np.asarray(frame, np.uint8)


def grey(frame: Grey) -> Grey:
    """(height, width, 3) BGR to (height, width); the colours are overwritten."""
    luma = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)
    frame.fill(0)
    return luma
