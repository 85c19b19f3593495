from __future__ import annotations

import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.camera import make
from edge.camera.simulation import SimulatedCamera
from edge.camera.usb import luma
from edge.camera.video import VideoFile
from edge.common.errors import CameraFault, UserError
from edge.vision.faces import HaarDetector


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return brighter(tmp_path / "film.avi", 10, 20)


def brighter(path: Path, frames: int, step: int) -> Path:
    """A film of 20 frames a second, each brighter by `step`."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20, (64, 48))
    for number in range(frames):
        writer.write(np.full((48, 64, 3), step * number, np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("nowhere.mp4", "nowhere.mp4: no such file or folder"),
        ("usb:front", "usb:front: not a camera: write usb:0"),
        ("sim:seats=0", "seats are out of range: choose 1 to 40"),
        ("sim:rows=3", r"unknown option 'rows=3'"),
        ("sim:seats=two", "unknown option 'seats=two'"),
        ("picamera", "apt install python3-picamera2"),
        ("jetson", "no GStreamer"),
    ],
)
def test_a_source_that_is_none_is_refused(source: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        make(source)


def test_an_unplugged_usb_camera_may_come_back() -> None:
    camera = make("usb:97")
    with pytest.raises(CameraFault, match=r"/dev/video97: no such camera: plug it in"):
        camera.open()


def test_a_stream_that_is_not_there_hides_its_password() -> None:
    camera = make("rtsp://user:hunter2@127.0.0.1:1/room")
    with pytest.raises(
        CameraFault, match=r"127.0.0.1:1/room: nothing accepts connections there"
    ) as fault:
        camera.open()
    assert "hunter2" not in str(fault.value)


def test_a_driver_is_imported_only_when_chosen() -> None:
    code = (
        "import sys; from edge.camera import make; make('sim:')\n"
        "print([m for m in sys.modules if m.startswith('edge.camera.')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for driver in ("usb", "picamera", "jetson", "stream", "video", "pictures"):
        assert f"edge.camera.{driver}'" not in out.stdout
    assert "edge.camera.simulation" in out.stdout


def test_a_film_plays_at_its_speed_and_loops(film: Path) -> None:
    camera = make(str(film))
    camera.open()
    start = time.monotonic()
    levels = [int(camera.read().mean()) for _ in range(25)]
    took = time.monotonic() - start
    camera.close()
    assert took > 1.0
    assert any(later < before - 60 for before, later in pairwise(levels))


def test_a_slow_reader_skips_frames(tmp_path: Path) -> None:
    camera = VideoFile(str(brighter(tmp_path / "film.avi", 100, 2)))
    camera.open()
    first = int(camera.read().mean())
    time.sleep(0.25)
    assert int(camera.read().mean()) - first >= 4 * 2
    camera.close()


def test_a_file_that_is_no_film_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("not a film")
    camera = make(str(path))
    with pytest.raises(UserError, match=r"notes\.mp4: not a video"):
        camera.open()


def test_pictures_are_shown_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.camera.pictures.SHOWN_S", 0.15)
    for name, level in (("a.png", 50), ("b.jpg", 150)):
        cv2.imwrite(str(tmp_path / name), np.full((30, 40), level, np.uint8))
    camera = make(str(tmp_path))
    camera.open()
    levels = [round(float(camera.read().mean()), -1) for _ in range(8)]
    camera.close()
    assert set(levels) == {50, 150}
    assert levels[0] == 50


def test_a_single_picture_and_an_empty_folder(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "one.png"), np.full((30, 40), 9, np.uint8))
    camera = make(str(tmp_path / "one.png"))
    camera.open()
    assert camera.read().shape == (30, 40)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="empty: contains no picture"):
        make(str(tmp_path / "empty"))


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("no")
    camera = make(str(tmp_path))
    camera.open()
    with pytest.raises(UserError, match=r"bad\.png: not a readable picture"):
        camera.read()


def test_luma_is_taken_from_every_format() -> None:
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8)
    yuyv = np.dstack([grey, np.full_like(grey, 128)])
    assert (luma(yuyv) == grey).all()
    assert (luma(grey) == grey).all()
    assert (luma(np.dstack([grey] * 3)) == grey).all()
    ok, jpeg = cv2.imencode(".jpg", np.full((16, 16), 77, np.uint8))
    assert ok
    assert abs(int(luma(jpeg.reshape(1, -1)).mean()) - 77) <= 1
    with pytest.raises(CameraFault, match="damaged"):
        luma(np.zeros((1, 50), np.uint8))


def test_the_same_seed_is_the_same_lesson() -> None:
    one, two = (SimulatedCamera(seats=8, seed=3) for _ in range(2))
    assert (one.grey(12.5) == two.grey(12.5)).all()
    assert (one.grey(12.5) != SimulatedCamera(seats=8, seed=4).grey(12.5)).any()


def test_people_arrive_turn_away_and_come_back() -> None:
    room = SimulatedCamera(seats=24, seed=1).classroom
    assert sum(room.truth(0).values()) == 0
    poses = {moment.pose for second in range(120) for moment in room.at(second)}
    assert poses == {"away", "turned", "facing"}
    assert sum(room.truth(100).values()) > 15


def test_every_simulated_face_is_found_and_no_other() -> None:
    camera = SimulatedCamera(seats=24, seed=2)
    detector = HaarDetector()
    hits = truth = 0
    for second in (30, 50, 70):
        hits += len(detector.find(camera.grey(second)))
        truth += sum(camera.classroom.truth(second).values())
    assert abs(hits - truth) <= 0.06 * truth
