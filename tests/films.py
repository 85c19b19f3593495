"""A film of the simulated classroom, for tests that need a file which is open or is not."""

from __future__ import annotations

from pathlib import Path

import cv2

from edge.camera.simulation import SimulatedCamera


def film(path: Path, seconds: int = 4, seats: int = 16) -> Path:
    """Ten frames a second of 1280 by 720, from half a minute into the lesson."""
    camera = SimulatedCamera(seats=seats, seed=3)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (1280, 720))
    for number in range(seconds * 10):
        writer.write(camera.picture(30 + number / 10))
    writer.release()
    return path
