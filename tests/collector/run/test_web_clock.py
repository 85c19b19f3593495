"""The web server's signs of life go on whatever becomes of the wall clock."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any

import httpx
import pytest
from uvicorn import server as uvicorn_server

from collector.run.web_server import WebServer
from tests.free import wait

pytestmark = pytest.mark.once


class WallClock:
    """As uvicorn sees it; all else of the module is as it is."""

    offset_s = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def time(self) -> float:
        return time.time() + self.offset_s


async def answer(scope: Any, _receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


@pytest.mark.parametrize("offset_s", [-3600.0, 3600.0])
def test_a_clock_that_is_set_keeps_no_sign_of_life_back(
    offset_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, beats = WallClock(), list[float]()
    monkeypatch.setattr(uvicorn_server, "time", clock)
    listener = socket.create_server(("127.0.0.1", 0))
    web = WebServer(answer, listener, None, None, lambda: None)
    beat = web.beat

    def count() -> None:
        beats.append(time.monotonic())
        beat()

    monkeypatch.setattr(web, "beat", count)
    web.start()
    with contextlib.ExitStack() as stack:
        stack.callback(web.stop)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        wait(lambda: len(beats) > 1)
        clock.offset_s = offset_s
        before = len(beats)
        wait(lambda: len(beats) > before + 3)
        assert httpx.get(url).text == "ok"
        assert web.still() < 10
        assert web.problem() == ""
