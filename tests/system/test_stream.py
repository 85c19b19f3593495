"""A network camera for real: frames, a server that dies, and the stream that comes back."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.camera import make
from edge.camera.capture import Capture
from edge.common.errors import CameraFault
from tests.free import free_port, wait_for_port

SERVER = Path(__file__).with_name("rtsp_server.py")


class RtspServer:
    def __init__(self, *pictures: Path) -> None:
        self.port = free_port()
        self._pictures = pictures
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/room"

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["/usr/bin/python3", str(SERVER), str(self.port), *map(str, self._pictures)],
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(self.port, self._process)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def server() -> Iterator[RtspServer]:
    made = RtspServer()
    made.start()
    yield made
    made.stop()


def test_frames_arrive_as_grey_and_move(server: RtspServer) -> None:
    camera = make(server.url)
    camera.open()
    frames = [camera.read() for _ in range(20)]
    camera.close()
    assert {frame.shape for frame in frames} == {(240, 320)}
    assert (frames[0] != frames[-1]).any()


def test_a_server_that_dies_is_a_fault_that_may_pass(server: RtspServer) -> None:
    camera = make(server.url)
    camera.open()
    camera.read()
    server.stop()
    with pytest.raises(CameraFault, match="the stream ended"):
        all(camera.read() is not None for _ in range(1000))
    with pytest.raises(CameraFault, match="no stream"):
        camera.open()


def test_the_capture_comes_back_with_the_stream(server: RtspServer) -> None:
    capture = Capture(make(server.url))
    capture.start()
    assert capture.take(15) is not None
    server.stop()
    end = time.monotonic() + 20
    while capture.take(1) is not None:
        assert time.monotonic() < end, "frames still arrive from a dead server"
    server.start()
    assert capture.take(30) is not None
    capture.stop()
