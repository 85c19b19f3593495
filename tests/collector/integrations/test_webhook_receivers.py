"""Receivers that do not take what they are told hold up neither each other nor the collector."""

from __future__ import annotations

import logging
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select

from collector.integrations.webhook_post import Refusal, WebhookPost
from collector.integrations.webhook_receiver import target
from collector.integrations.webhooks import Webhooks
from collector.storage.database import connect
from collector.storage.tables import deliveries

SECRET = "whsec_c2VjcmV0"  # the tests'
DEADLINE_S = 0.6


class RawReceiver:
    """Answers each connection as `answer` does, which may take its time."""

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self.requests: queue.Queue[bytes] = queue.Queue()
        self.answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/hook"
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                self.requests.put(connection.recv(65_536))
                self.answer(connection)
        except OSError:
            pass  # it was given up


def takes(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")


def says_nothing(_connection: socket.socket) -> None:
    time.sleep(30)


def drips_its_header(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 204 No Content\r\nX-Slow: ")
    while True:
        connection.sendall(b"a")
        time.sleep(0.05)


def drips_its_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        connection.sendall(b"a")
        time.sleep(0.05)


def refuses(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 500 Oh no\r\nContent-Length: 0\r\n\r\n")


def leads_on(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")


def speaks_something_else(connection: socket.socket) -> None:
    connection.sendall(b"220 mail.school.example ESMTP\r\n")


def hangs_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


FAULTS = [
    (says_nothing, OSError, "no answer within 0.6 s"),
    (drips_its_header, OSError, "no answer within 0.6 s"),
    (refuses, Refusal, "answers 500"),
    (leads_on, Refusal, "answers 302"),
    (speaks_something_else, OSError, ""),
    (hangs_up, OSError, ""),
]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path}/c.sqlite")
    yield engine
    engine.dispose()


@pytest.fixture
def post() -> Iterator[WebhookPost]:
    post = WebhookPost(DEADLINE_S)
    yield post
    post.close()


@pytest.mark.parametrize(("answer", "kind", "words"), FAULTS)
def test_each_way_not_to_take_an_event_ends_in_time_and_in_words(
    answer: Callable[[socket.socket], None],
    kind: type[Exception],
    words: str,
    post: WebhookPost,
) -> None:
    receiver = RawReceiver(answer)
    begin = time.monotonic()
    with pytest.raises(kind, match=words or r"\w") as refusal:
        post.send(receiver.url, "{}", {})
    assert type(refusal.value) is kind
    assert time.monotonic() - begin < 10 * DEADLINE_S
    receiver.stop()


@pytest.mark.parametrize("answer", [takes, drips_its_body])
def test_what_a_receiver_says_besides_is_not_waited_for(
    answer: Callable[[socket.socket], None], post: WebhookPost
) -> None:
    receiver = RawReceiver(answer)
    post.send(receiver.url, "{}", {"x-name": "1"})
    assert b"x-name: 1" in receiver.requests.get(timeout=10)
    receiver.stop()


def test_a_name_server_that_hangs_is_given_up_too(
    post: WebhookPost, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()

    def hang(*_: Any, **__: Any) -> Any:
        answer.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with pytest.raises(OSError, match="no answer within"):
        post.send("http://hooks.school.example/", "{}", {})
    answer.set()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "http://[::1/", "http://no.invalid/x"])
def test_an_address_where_nobody_is(url: str, post: WebhookPost) -> None:
    with pytest.raises(OSError, match=r"\w"):
        post.send(url, "{}", {})


def test_one_that_is_dead_holds_up_no_other_and_is_said_once(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    dead, alive = RawReceiver(says_nothing), RawReceiver(takes)
    targets = [target(one.url, SECRET, ["room_state"]) for one in (dead, alive)]
    hooks = Webhooks(engine, targets, deadline_s=DEADLINE_S)
    workers = [hooks, *hooks.receivers]
    for worker in workers:
        worker.start()
    for number in range(5):
        hooks.notify("room_state", {"number": number})
    for _ in range(5):
        alive.requests.get(timeout=20)
    end = time.monotonic() + 20
    while caplog.text.count("no answer within") == 0 and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(worker.fatal_problem() for worker in workers)
    for worker in reversed(workers):
        worker.stop()
    assert caplog.text.count("no answer within") == 1  # and not for every event
    with engine.connect() as connection:
        query = select(deliveries.c.url, func.count()).group_by(deliveries.c.url)
        assert [tuple(row) for row in connection.execute(query)] == [(dead.url, 5)]
    for one in (dead, alive):
        one.stop()


def test_a_receiver_that_is_back_is_said_and_one_that_left_the_settings_is_forgotten(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    receiver = RawReceiver(refuses)
    hooks = Webhooks(engine, [target(receiver.url, SECRET, ["room_state"])])
    row = {"url": "http://left.example/", "body": "{}", "tries": 0, "next": 0, "given_up": False}
    with engine.begin() as connection:
        connection.execute(insert(deliveries), row)
    hooks.notify("room_state", {})
    hooks.run_once()
    hooks.receivers[0].round(time.time() + 1)
    assert "answers 500; its events wait" in caplog.text
    receiver.answer = takes
    hooks.receivers[0].round(time.time() + 60)
    assert "takes events again" in caplog.text
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(deliveries)).scalar() == 0
    hooks.receivers[0].finish()
    receiver.stop()
