"""A network camera over RTSP; a stream that ends or stalls is a fault that may pass."""

from __future__ import annotations

from urllib.parse import urlsplit

import cv2

from edge.camera.base import Grey
from edge.errors import CameraFault

TIMEOUT_MS = 5_000


class Stream:
    """The newest frames of an RTSP stream; its address is shown without user and password."""

    def __init__(self, url: str) -> None:
        self._url = url
        parts = urlsplit(url)
        self._shown = f"{parts.scheme}://{parts.hostname}{parts.path}"
        self._capture: cv2.VideoCapture | None = None

    def open(self) -> None:
        self.close()
        limits = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            TIMEOUT_MS,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            TIMEOUT_MS,
        ]
        capture = cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, limits)
        if not capture.isOpened():
            raise CameraFault(f"{self._shown}: no stream: check the address, user and password")
        self._capture = capture

    def read(self) -> Grey:
        ok, frame = self._capture.read() if self._capture is not None else (False, None)
        if not ok or frame is None:
            raise CameraFault(f"{self._shown}: the stream ended")
        return cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)  # type: ignore[return-value]  # cv2 types any dtype

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None


def camera(url: str) -> Stream:
    return Stream(url)
