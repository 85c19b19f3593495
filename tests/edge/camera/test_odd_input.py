"""Films and pictures as the field has them: what is broken is left out, or opened anew."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.camera import make
from edge.camera.attempt import picture_size
from edge.camera.base import Grey
from edge.camera.capture import Capture
from edge.camera.listing import cameras
from edge.camera.opencv import grey
from edge.common.errors import CameraFault, UserError
from edge.common.settings import load
from edge.config import AgentSettings

RAW = Path("../shared/reports/films/raw.h264")


def film(path: Path, frames: int = 6, size: tuple[int, int] = (64, 48)) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, size)
    for number in range(frames):
        writer.write(np.full((size[1], size[0], 3), 40 * number, np.uint8))
    writer.release()
    return path


def picture(path: Path, height: int = 60, width: int = 80) -> Path:
    cv2.imwrite(str(path), np.full((height, width), 90, np.uint8))
    return path


def plays_on(path: Path, frames: int) -> None:
    """Three times through, at the file's own speed."""
    camera = make(str(path))
    camera.open()
    try:
        for _ in range(3 * frames):
            assert camera.read().size
    finally:
        camera.close()


@pytest.mark.skipif(not RAW.exists(), reason="the shared reports are not here")
def test_a_film_without_an_index_plays_again_and_again() -> None:
    plays_on(RAW, 40)


def test_a_row_of_jpegs_plays_again_and_again(tmp_path: Path) -> None:
    frames = [cv2.imencode(".jpg", np.full((48, 64), level, np.uint8))[1] for level in (0, 99, 200)]
    path = tmp_path / "film.mjpeg"
    path.write_bytes(b"".join(frame.tobytes() for frame in frames))
    plays_on(path, 3)


def turn(path: Path) -> Path:
    """An MP4 whose track says that it was filmed with the camera held upright."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, (64, 48))
    for level in (0, 90, 200):
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    content = path.read_bytes()
    one = (1 << 16).to_bytes(4, "big")
    straight = one + bytes(12) + one + bytes(12) + (1 << 30).to_bytes(4, "big")
    quarter = bytes(4) + one + bytes(4) + b"\xff\xff\0\0" + bytes(16) + (1 << 30).to_bytes(4, "big")
    at = content.index(straight, content.index(b"tkhd"))  # ISO/IEC 14496-12, 8.3.2
    path.write_bytes(content[:at] + quarter + content[at + len(straight) :])
    return path


def test_a_film_that_was_held_upright_is_upright(tmp_path: Path) -> None:
    camera = make(str(turn(tmp_path / "film.mp4")))
    camera.open()
    assert camera.read().shape == (64, 48)
    camera.close()


def test_hidden_files_and_broken_ones_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    picture(tmp_path / "b.jpg")
    (tmp_path / "._b.jpg").write_bytes(b"resource fork")
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    picture(tmp_path / "c.jpg", 1, 2000)
    camera = make(str(tmp_path))
    camera.open()
    assert camera.read().shape == (60, 80)
    camera.close()
    assert "a.jpg: left out: not a readable picture" in caplog.text
    assert "._b.jpg" not in caplog.text


def test_a_folder_without_a_picture_that_can_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    (tmp_path / "b.jpg").write_bytes(b"nor this")
    camera = make(str(tmp_path))
    camera.open()
    with pytest.raises(UserError, match="none of its files is a readable picture"):
        camera.read()


@pytest.mark.parametrize(("height", "width"), [(1, 2000), (2000, 1), (23, 400)])
def test_a_picture_that_can_hold_no_face_is_refused_in_words(
    tmp_path: Path, height: int, width: int
) -> None:
    camera = make(str(picture(tmp_path / "a.png", height, width)))
    camera.open()
    with pytest.raises(UserError, match=f"{width}x{height} pixels are too few for a face"):
        camera.read()


class OneFrame:
    """Gives what a driver might, good or not, and then good frames."""

    def __init__(self, frame: NDArray[np.uint8], convert: bool) -> None:
        self._frames = [frame]
        self._convert = convert
        self.faults = 0

    def open(self) -> None:
        self.faults += 1

    def read(self) -> Grey:
        if self._frames:
            frame = self._frames.pop()
            return grey(frame) if self._convert else frame
        return np.zeros((48, 64), np.uint8)

    def close(self) -> None:
        pass


@pytest.mark.parametrize("convert", [False, True])
@pytest.mark.parametrize("shape", [(0, 0), (0, 64), (1, 2000), (48,), (48, 64, 7), (1, 1, 1, 1)])
def test_a_broken_buffer_is_a_fault_that_passes(shape: tuple[int, ...], convert: bool) -> None:
    camera = OneFrame(np.zeros(shape, np.uint8), convert)
    capture = Capture(camera)
    capture.start()
    try:
        frame = capture.take(15)
    finally:
        capture.stop()
    assert frame is not None
    assert frame.shape == (48, 64)
    assert camera.faults == 2, "it was opened anew"


def test_a_damaged_frame_of_a_film_is_a_fault_that_passes(tmp_path: Path) -> None:
    camera = make(str(film(tmp_path / "film.avi")))
    with pytest.raises(CameraFault, match="read before it was opened"):
        camera.read()


def test_a_pipe_that_nobody_writes_to_keeps_no_command(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    os.mkfifo(path)
    with pytest.raises(UserError, match="gives no picture within 0 s: check that it is switched"):
        picture_size(make(str(path)), str(path), waits_s=0.2)
    os.close(os.open(path, os.O_RDWR))  # lets go of whoever waits to read it


def test_a_film_is_named_from_the_settings_folder(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    for name, means in (
        ("lesson.mp4", str(tmp_path / "lesson.mp4")),
        ("../films", str(tmp_path / "../films")),
        ("/films/a.mp4", "/films/a.mp4"),
        ("usb:0", "usb:0"),
        ("sim:seats=4", "sim:seats=4"),
        ("rtsp://10.0.0.4/live", "rtsp://10.0.0.4/live"),
        ("picamera", "picamera"),
    ):
        path.write_text(f"site: school\nroom: r101\nstate: s\ncamera: {name}\n")
        assert load(AgentSettings, path).camera == means


def test_cameras_are_listed_by_the_name_to_write(tmp_path: Path) -> None:
    for number, (index, title) in enumerate([("0", "HD Webcam"), ("1", "HD Webcam"), ("0", "Old")]):
        node = tmp_path / f"sys/class/video4linux/video{number}"
        node.mkdir(parents=True)
        (node / "index").write_text(f"{index}\n")
        (node / "name").write_text(f"{title}\n")
        (tmp_path / "dev").mkdir(exist_ok=True)
        (tmp_path / f"dev/video{number}").touch()
    links = tmp_path / "dev/v4l/by-id"
    links.mkdir(parents=True)
    (links / "usb-hd-index0").symlink_to("../../video0")
    assert [one[:2] for one in cameras(tmp_path)] == [
        ("usb:/dev/v4l/by-id/usb-hd-index0", "HD Webcam"),
        ("usb:2", "Old"),
    ]
    assert cameras(tmp_path / "nowhere") == []
