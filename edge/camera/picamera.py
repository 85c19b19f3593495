"""The Raspberry Pi's CSI camera through picamera2, which comes from the Pi's own packages."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge.camera.base import Grey
from edge.common.errors import CameraFault, UserError

SIZE = (1280, 720)


class PiCamera:
    """Takes YUV420, whose first rows are the luma plane."""

    def __init__(self) -> None:
        try:
            from picamera2 import Picamera2
        except ImportError:
            raise UserError(
                "picamera2 is not visible here",
                "picamera",
                "`apt install python3-picamera2`, and make the virtual environment with "
                "--system-site-packages",
            ) from None
        self._make = Picamera2
        self._device: Any = None

    def open(self) -> None:
        self.close()
        try:
            device = self._make()
            device.configure(
                device.create_video_configuration(main={"size": SIZE, "format": "YUV420"})
            )
            device.start()
        except (RuntimeError, IndexError, OSError) as error:
            raise CameraFault(
                f"the camera does not start ({error})", "picamera", "check the ribbon cable"
            ) from None
        self._device = device

    def read(self) -> Grey:
        if self._device is None:
            raise CameraFault("the camera is closed", "picamera", "open it first")
        planes = self._device.capture_array("main")
        return np.ascontiguousarray(planes[: SIZE[1], : SIZE[0]])

    def close(self) -> None:
        if self._device is not None:
            self._device.stop()
            self._device.close()
            self._device = None


def camera(_argument: str) -> PiCamera:
    return PiCamera()
