"""A request that is still at work when the server ends is waited for, and told of if it stays."""

from __future__ import annotations

import contextlib
import socket
import threading

import httpx
import pytest
from fastapi import FastAPI

from collector.access.hashing import hashing_queue
from collector.run import web_server
from collector.run.web_server import WebServer


@pytest.mark.parametrize("ends", [True, False])
def test_the_server_s_end_says_whether_requests_have_ended(
    ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_server, "REQUESTS_END_S", 10.0 if ends else 0.2)
    entry, release = threading.Event(), threading.Event()
    app = FastAPI()

    @app.get("/")
    def slow() -> None:
        entry.set()
        assert release.wait(60)

    listener = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    server = WebServer(app, listener, None, None, lambda: None)
    server.start()

    def ask() -> None:
        with contextlib.suppress(httpx.HTTPError):  # it gets no answer
            httpx.get(address, timeout=60)

    asker = threading.Thread(target=ask)
    asker.start()
    assert entry.wait(30)
    timer = threading.Timer(2.0, release.set)  # after uvicorn has given up
    if ends:
        timer.start()
    assert server.stop() == ends
    release.set()
    asker.join(30)


def test_hashes_under_way_are_waited_for() -> None:
    assert hashing_queue().stop()
