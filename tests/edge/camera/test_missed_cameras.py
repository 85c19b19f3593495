"""A network camera that is not reached: why, as far as that can be known, and what to do."""

from __future__ import annotations

import pytest

from edge.camera import make
from edge.common.errors import CameraFault
from tests.free import free_port
from tests.missed_brokers import server


def wrong(address: str) -> str:
    camera = make(address)
    with pytest.raises(CameraFault) as fault:
        camera.open()
    assert "wrd" not in str(fault.value)
    return str(fault.value)


def test_each_way_to_miss_a_camera_has_words_and_a_remedy() -> None:
    port = free_port()
    assert wrong(f"rtsp://kim:wrd@127.0.0.1:{port}/live").endswith(
        f"@127.0.0.1:{port}/live: nothing accepts connections there: "
        "check the port (554 is usual), and that the camera sends RTSP"
    )
    assert "its name is not known here: check the name" in wrong("rtsp://kim:wrd@cam.invalid/live")
    assert "not an address: write it as in rtsp://" in wrong("rtsp://kim:wrd@127.0.0.1:5x54/live")
    with server() as port:
        assert "no stream: check the path in the address, user and password" in wrong(
            f"rtsp://kim:wrd@127.0.0.1:{port}/live"
        )
