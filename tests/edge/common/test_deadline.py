"""Whoever drips is given up, and never more than one thread waits for them."""

from __future__ import annotations

import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from collector.alert_settings import EmailSettings
from collector.alerts import smtp
from edge.common import download
from edge.common.deadline import within
from edge.common.errors import Problem
from tests.free import wait as wait_until

pytestmark = pytest.mark.once


class Dripper:
    """Sends one byte at a time to whoever connects, after a beginning."""

    def __init__(self, begin: bytes) -> None:
        self._begin, self.connections = begin, 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        try:
            connection.sendall(self._begin)
            while True:
                connection.sendall(b"a")
                time.sleep(0.05)
        except OSError:
            pass  # it was given up


class Plain(urllib.request.HTTPHandler):
    """In place of the one with TLS, which is tried elsewhere."""

    def __init__(self, **_: object) -> None:
        super().__init__()


@pytest.fixture
def dripper(request: pytest.FixtureRequest) -> Iterator[Dripper]:
    one = Dripper(request.param)
    yield one
    one.stop()


def test_what_ends_in_time_is_as_if_it_were_called() -> None:
    assert within(5, lambda: 7, "x") == 7
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0, "x")


def test_of_one_name_there_is_one_thread() -> None:
    is_over = threading.Event()
    wait: Callable[[], bool] = lambda: is_over.wait(30)  # noqa: E731  # short
    with pytest.raises(TimeoutError, match="no answer within"):
        within(0.05, wait, "y")
    for _ in range(3):
        with pytest.raises(TimeoutError, match="still on its way"):
            within(5, wait, "y")
    assert sum(thread.name == "y" for thread in threading.enumerate()) == 1
    is_over.set()
    wait_until(lambda: not any(thread.name == "y" for thread in threading.enumerate()))
    assert within(5, wait, "y")


@pytest.mark.parametrize("dripper", [b"220-"], indirect=True)
def test_a_mail_server_that_drips_is_given_up(
    dripper: Dripper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "LONGEST_S", 0.5)
    settings = EmailSettings.model_validate(
        {
            "server": "127.0.0.1",
            "port": dripper.port,
            "tls": "none",
            "sender": "r@school.example",
            "to": ["it@school.example"],
        }
    )
    begin = time.monotonic()
    for _ in range(3):
        problem = smtp.try_server(settings)
        assert problem is not None
        assert "answer" in problem.what
    assert time.monotonic() - begin < 10
    assert dripper.connections == 1


@pytest.mark.parametrize("dripper", [b"HTTP/1.1 200 OK\r\nX-A: "], indirect=True)
def test_a_web_server_that_drips_its_headers_is_given_up(
    dripper: Dripper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "OPENS_S", 0.5)
    monkeypatch.setattr(urllib.request, "HTTPSHandler", Plain)
    request = urllib.request.Request

    def without_tls(address: str) -> object:
        return request(address.replace("https://", "http://"))

    monkeypatch.setattr(urllib.request, "Request", without_tls)
    begin = time.monotonic()
    with pytest.raises(Problem, match="no answer"):
        download.download(f"https://127.0.0.1:{dripper.port}/a.ics", "the calendar")
    assert time.monotonic() - begin < 10
