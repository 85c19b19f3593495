"""A USB camera through Video4Linux.

Asks for YUYV, whose luma is the grey that detection needs: no colour conversion at all. A camera
that only gives MJPEG is decoded straight to grey.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from edge.camera.base import Grey
from edge.camera.opencv import OpenCvCamera, grey
from edge.common.errors import CameraFault, UserError

WIDTH, HEIGHT = 1280, 720


class UsbCamera(OpenCvCamera):
    """`node`: /dev/video0, or a link to it, as udev makes them below /dev/v4l."""

    def __init__(self, node: Path) -> None:
        self._node = node

    def open(self) -> None:
        self.close()
        if not self._node.exists():
            raise CameraFault("no such camera", self._node, "plug it in, or see `ls /dev/video*`")
        capture = cv2.VideoCapture(str(self._node), cv2.CAP_V4L2)
        if not capture.isOpened():
            raise CameraFault(
                "cannot be opened",
                self._node,
                "check that nothing else uses it and that the user is in group 'video'",
            )
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"YUYV"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, WIDTH)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, HEIGHT)
        capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
        self._capture = capture

    def read(self) -> Grey:
        return luma(self._raw("delivers no frame", self._node, "check its cable"))


def luma(raw: Grey) -> Grey:
    """The grey (height, width) of one raw buffer: YUYV, grey, BGR, or MJPEG bytes in a row."""
    if raw.ndim == 3 and raw.shape[2] == 2:
        return np.ascontiguousarray(raw[:, :, 0])
    if raw.ndim == 3 and raw.shape[2] == 3:
        return grey(raw)
    if raw.ndim == 2 and raw.shape[0] > 1:
        return raw
    image = cv2.imdecode(raw.reshape(-1), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise CameraFault(
            "damaged MJPEG frame",
            "camera",
            "check the cable; a shorter one, or another port, may help",
        )
    return image  # type: ignore[return-value]  # cv2 types any dtype


def camera(argument: str) -> UsbCamera:
    if argument.isdigit():
        return UsbCamera(Path(f"/dev/video{int(argument)}"))
    if argument.startswith("/dev/"):
        return UsbCamera(Path(argument))
    raise UserError(
        "not a camera", f"usb:{argument}", "write usb:0 for /dev/video0, or usb:/dev/v4l/by-id/…"
    )
