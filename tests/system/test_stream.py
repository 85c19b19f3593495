"""A network camera for real: frames, a server that dies, and the stream that comes back."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from edge.camera import Transport, make, stream
from edge.camera.capture import Capture
from edge.common.errors import CameraFault
from tests.free import free_port, wait, wait_for_port

pytestmark = pytest.mark.once

SERVER = Path(__file__).with_name("rtsp_server.py")


class RtspServer:
    def __init__(self, *lines: object) -> None:
        self.port = free_port()
        self._lines = lines
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/room"

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["/usr/bin/python3", str(SERVER), str(self.port), *map(str, self._lines)],
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(self.port, self._process)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@pytest.fixture
def server() -> Iterator[RtspServer]:
    new_server = RtspServer()
    new_server.start()
    yield new_server
    new_server.stop()


def test_frames_arrive_as_grey_and_move(server: RtspServer) -> None:
    camera = make(server.url)
    camera.open()
    frames = [camera.read() for _ in range(20)]
    camera.close()
    assert {frame.shape for frame in frames} == {(240, 320)}
    assert (frames[0] != frames[-1]).any()


@pytest.mark.parametrize("transport", ["auto", "tcp", "udp"])
@pytest.mark.parametrize("way", ["TCP", "UDP"])
def test_a_camera_that_sends_in_one_way_alone_is_seen(way: str, transport: Transport) -> None:
    """Whatever is set is what is tried first: FFmpeg goes on to the other."""
    server = RtspServer("320x240", way)
    server.start()
    camera = make(server.url, transport)
    try:
        camera.open()
        assert camera.read().any()
    finally:
        camera.close()
        server.stop()


@pytest.mark.parametrize(("transport", "sockets"), [("auto", 0), ("tcp", 0), ("udp", 2)])
def test_the_settings_say_which_way_is_tried_first(
    server: RtspServer, transport: Transport, sockets: int
) -> None:
    camera = make(server.url, transport)
    camera.open()
    camera.read()
    assert len(psutil.Process().net_connections("udp")) == sockets
    camera.close()


def test_a_server_that_dies_is_a_fault_that_may_pass(server: RtspServer) -> None:
    camera = make(server.url)
    camera.open()
    camera.read()
    server.stop()
    with pytest.raises(CameraFault, match="the stream ended"):
        all(camera.read() is not None for _ in range(1000))
    with pytest.raises(CameraFault, match="nothing accepts connections there"):
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


@pytest.fixture
def changing() -> Iterator[RtspServer]:
    """A camera that changes its resolution when it is told to."""
    camera = RtspServer("320x240,640x480,176x144,240x320")
    camera.start()
    yield camera
    camera.stop()


def test_a_stream_that_changes_its_resolution_goes_on(
    changing: RtspServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "STALE_S", 1.0)
    monkeypatch.setattr(stream, "AT_MOST_EVERY_S", 0.0)
    capture = Capture(make(changing.url))
    capture.start()
    assert shape(capture) == (240, 320)
    for size in ((480, 640), (144, 176), (320, 240), (240, 320)):
        changing.send(signal.SIGUSR1)
        wait(lambda size=size: shape(capture) == size)  # type: ignore[misc]  # mypy infers no lambda with a default
    capture.stop()


def test_a_bar_that_stays_black_opens_a_stream_once_an_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times: list[float] = []
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    camera = stream.camera("rtsp://127.0.0.1:1/room")
    monkeypatch.setattr(stream.Stream, "open", lambda _self: times.append(clock[0]))
    monkeypatch.setattr(stream.Stream, "_next", lambda _self: np.zeros((240, 320), np.uint8))
    camera.open()
    for second in range(2 * 3600):
        clock[0] = float(second)
        camera.read()
    assert len(times) == 1 + 2


def test_a_stream_that_ends_in_good_order_is_opened_anew(server: RtspServer) -> None:
    camera = make(server.url)
    camera.open()
    camera.read()
    server.send(signal.SIGUSR2)
    with pytest.raises(CameraFault, match="the stream ended"):
        all(camera.read() is not None for _ in range(1000))
    camera.close()
    capture = Capture(make(server.url))
    capture.start()
    for _ in range(2):
        assert shape(capture) == (240, 320)
        server.send(signal.SIGUSR2)
        wait(lambda: capture.take(0.5) is None)
        wait(lambda: capture.take(1) is not None)
    capture.stop()


def shape(capture: Capture) -> tuple[int, ...] | None:
    frame = capture.take(15)
    return None if frame is None else frame.shape
