from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from edge.camera.base import Grey
from edge.camera.capture import Capture
from edge.common.errors import CameraFault, UserError
from tests.free import wait


class ScriptCamera:
    """A camera whose every read is a step of a script."""

    def __init__(self, step: Callable[[int], Grey]) -> None:
        self._step = step
        self.reads = self.opens = self.closes = 0
        self.read_call = threading.Event()

    def open(self) -> None:
        self.opens += 1

    def read(self) -> Grey:
        self.reads += 1
        self.read_call.set()
        return self._step(self.reads)

    def close(self) -> None:
        self.closes += 1


def frame_number(number: int) -> Grey:
    time.sleep(0.005)
    return np.full((24, 24), number % 256, np.uint8)


def test_the_newest_frame_wins() -> None:
    camera = ScriptCamera(frame_number)
    capture = Capture(camera)
    capture.start()
    assert capture.take(20) is not None
    wait(lambda: camera.reads > 10)
    frame = capture.take(20)
    capture.stop()
    assert frame is not None
    assert frame[0, 0] > 5
    assert camera.closes >= 1


def test_a_frame_that_nobody_took_is_wiped() -> None:
    frames: list[Grey] = []

    def step(number: int) -> Grey:
        frames.append(frame_number(number))
        return frames[-1]

    capture = Capture(ScriptCamera(step))
    capture.start()
    wait(lambda: len(frames) >= 5)
    capture.stop()
    assert all((frame == 0).all() for frame in frames[:3])


def test_a_frame_is_taken_once() -> None:
    release = threading.Event()

    def step(number: int) -> Grey:
        if number > 1:
            release.wait(5)
        return frame_number(number)

    capture = Capture(ScriptCamera(step))
    capture.start()
    assert capture.take(20) is not None
    assert capture.take(0.05) is None
    release.set()
    capture.stop()


def test_a_camera_that_fails_is_opened_again() -> None:
    def step(number: int) -> Grey:
        if number == 2:
            raise CameraFault("unplugged", "camera", "plug it in")
        return frame_number(number)

    camera = ScriptCamera(step)
    capture = Capture(camera)
    capture.start()

    def opened_again() -> bool:
        capture.take(0.1)
        return camera.opens >= 2

    wait(opened_again)
    assert capture.take(20) is not None
    capture.stop()
    assert camera.opens == 2


def test_a_lasting_fault_reaches_whoever_takes_frames() -> None:
    def step(_number: int) -> Grey:
        raise UserError("no such film", "camera", "choose another")

    capture = Capture(ScriptCamera(step))
    capture.start()
    with pytest.raises(UserError, match="no such film"):
        capture.take(20)
    capture.stop()


def test_it_can_be_stopped_and_started_again() -> None:
    camera = ScriptCamera(frame_number)
    capture = Capture(camera)
    capture.start()
    camera.read_call.wait(2)
    capture.stop()
    assert not capture.running
    reads = camera.reads
    time.sleep(0.05)
    assert camera.reads == reads
    capture.start()
    assert capture.take(20) is not None
    capture.stop()


def test_a_camera_that_gives_the_same_picture_for_ever_is_opened_anew() -> None:
    def step(number: int) -> Grey:
        time.sleep(0.005)
        # It freezes after ten frames, and again after each time it is opened.
        return np.full((24, 24), min(number % 100, 10), np.uint8)

    camera = ScriptCamera(step)
    capture = Capture(camera, frozen_s=0.2)
    capture.start()
    wait(lambda: camera.opens >= 2)
    assert camera.closes >= 1
    capture.stop()


def test_a_still_picture_may_stay_where_nothing_is_live() -> None:
    camera = ScriptCamera(lambda _: np.zeros((24, 24), np.uint8))
    capture = Capture(camera)
    capture.start()
    time.sleep(0.3)
    capture.stop()
    assert camera.opens == 1


def test_a_driver_that_does_not_return_is_noticed() -> None:
    release = threading.Event()

    def step(number: int) -> Grey:
        if number > 3:
            release.wait(20)
        return frame_number(number)

    capture = Capture(ScriptCamera(step))
    assert capture.hanging() == 0
    capture.start()
    wait(lambda: capture.hanging() > 0.3)
    capture.stop(timeout=0.1)
    assert capture.hanging() > 0.3
    release.set()
    wait(lambda: capture.hanging() == 0)
