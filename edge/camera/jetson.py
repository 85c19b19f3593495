"""The Jetson's CSI camera through GStreamer; the image processor hands over grey frames."""

from __future__ import annotations

import cv2

from edge.camera.base import Grey
from edge.camera.opencv import OpenCvCamera
from edge.common.errors import CameraFault, UserError

PIPELINE = (
    "nvarguscamerasrc ! video/x-raw(memory:NVMM),width=1280,height=720,framerate=30/1"
    " ! nvvidconv ! video/x-raw,format=GRAY8 ! appsink drop=true max-buffers=1 sync=false"
)


class JetsonCamera(OpenCvCamera):
    def __init__(self) -> None:
        if not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
            raise UserError(
                "this OpenCV has no GStreamer",
                "jetson",
                "use JetPack's own OpenCV, and make the virtual environment with "
                "--system-site-packages",
            )

    def open(self) -> None:
        self.close()
        capture = cv2.VideoCapture(PIPELINE, cv2.CAP_GSTREAMER)
        if not capture.isOpened():
            raise CameraFault(
                "the camera does not start", "jetson", "check that nvargus-daemon is running"
            )
        self._capture = capture

    def read(self) -> Grey:
        frame = self._raw("the camera delivers no frame", "jetson", "check the ribbon cable")
        return frame.reshape(frame.shape[:2])


def camera(_argument: str) -> JetsonCamera:
    return JetsonCamera()
