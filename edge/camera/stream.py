"""A network camera over RTSP; a stream that ends or stalls is a fault that may pass."""

from __future__ import annotations

import os

import cv2

from edge.camera import Transport
from edge.camera.base import Grey
from edge.camera.opencv import OpenCvCamera, grey
from edge.common.address import mask, split
from edge.common.errors import CameraFault

TIMEOUT_MS = 5_000

OPTIONS: dict[Transport, str] = {
    "auto": "rtsp_flags;prefer_tcp",
    "tcp": "rtsp_transport;tcp",
    "udp": "rtsp_transport;udp",
}
"""FFmpeg's, for its RTSP reader: many networks let no UDP through."""


class Stream(OpenCvCamera):
    """The newest frames of an RTSP stream; its address is shown without user and password."""

    def __init__(self, url: str, transport: Transport) -> None:
        address = split(url)
        self._url = url if address is None else address.encoded()
        self._shown = mask(url)
        self._transport = transport

    def open(self) -> None:
        self.close()
        limits = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            TIMEOUT_MS,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            TIMEOUT_MS,
        ]
        # The only way to FFmpeg's options; read at each opening, and there is one camera a process.
        os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = OPTIONS[self._transport]
        capture = cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, limits)
        if not capture.isOpened():
            raise CameraFault("no stream", self._shown, "check the address, user and password")
        self._capture = capture

    def read(self) -> Grey:
        return grey(self._raw("the stream ended", self._shown, "check the camera and its network"))


def camera(url: str, transport: Transport = "auto") -> Stream:
    return Stream(url, transport)
