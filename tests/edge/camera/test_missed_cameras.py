"""A network camera that is not reached: why, as far as that can be known, and what to do."""

from __future__ import annotations

import pytest

from edge.camera import make
from edge.common.errors import CameraFault, UserError
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
    assert "not an address: write it as in rtsp://" in wrong("rtsp:/10.0.0.4/live")
    assert "nothing accepts connections" in wrong(f"RTSP://kim:wrd@127.0.0.1:{port}/live")
    with server() as port:
        assert "no stream: check the path in the address, user and password" in wrong(
            f"rtsp://kim:wrd@127.0.0.1:{port}/live"
        )


@pytest.mark.parametrize("scheme", ["http", "https", "rtmp", "HTTP"])
def test_an_address_of_another_kind_is_refused_without_its_password(scheme: str) -> None:
    with pytest.raises(UserError, match=rf"{scheme.lower()}:// is no kind of camera: use") as error:
        make(f"{scheme}://kim:wrd@10.0.0.4/video?password=wrd")
    assert "wrd" not in str(error.value)


@pytest.mark.parametrize("slip", ["rtsp//kim:wrd@10.0.0.4/live", "rstp:/kim:wrd@10.0.0.4//live"])
def test_an_address_with_a_slip_in_it_shows_no_password(slip: str) -> None:
    with pytest.raises(UserError, match="no such file or folder: use one of") as error:
        make(slip)
    assert "wrd" not in str(error.value)
    assert "10.0.0.4" in str(error.value)
