"""Which camera the demo takes where nobody names one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from deploy.commands.demo import SIMULATION, first_camera
from edge.camera.listing import CameraListing

ABSENT_CAMERA = CameraListing("usb:/dev/v4l/by-path/nowhere", "a camera that was unplugged", None)


def test_auto_is_the_first_camera_that_gives_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "room.png"
    cv2.imwrite(str(picture), np.full((90, 160), 99, np.uint8))
    works = CameraListing(str(picture), "a picture in a camera's place", None)
    assert first_camera([ABSENT_CAMERA, works]) == works.source
    errors = capsys.readouterr().err
    assert "trying the next one" in errors
    assert f"the camera is {picture}" in errors


def test_auto_without_a_camera_is_the_simulation(capsys: pytest.CaptureFixture[str]) -> None:
    assert first_camera([ABSENT_CAMERA]) == SIMULATION
    assert "watching the simulation" in capsys.readouterr().err
