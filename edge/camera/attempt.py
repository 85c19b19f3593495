"""One picture from a camera, for commands that look whether there is one.

A pipe that nobody writes to, or a driver that hangs, would keep them for ever.
"""

from __future__ import annotations

import threading

from edge.camera.base import Camera
from edge.common.errors import UserError

WAITS_S = 40.0
"""By far more than any camera takes to open, the slowest network cameras included."""


def picture_size(camera: Camera, where: str, waits_s: float = WAITS_S) -> tuple[int, int]:
    """Width and height; raises what the camera raises, and UserError (naming `where`) where it does
    not answer, after which the camera must not be used."""
    sizes: list[tuple[int, int]] = []
    faults: list[Exception] = []

    def look() -> None:
        try:
            camera.open()
            height, width = camera.read().shape
            sizes.append((width, height))
        except Exception as fault:  # raised where it was asked for
            faults.append(fault)
        finally:
            camera.close()

    thread = threading.Thread(target=look, name="camera", daemon=True)
    thread.start()
    thread.join(waits_s)
    if faults:
        raise faults[0]
    if not sizes:
        raise UserError(
            f"gives no picture within {waits_s:.0f} s",
            where,
            "check that it is switched on; a pipe needs a program that writes to it",
        )
    return sizes[0]
