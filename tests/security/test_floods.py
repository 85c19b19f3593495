"""Connections that say nothing, or little, cost others nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from collector.access.accounts import Accounts
from collector.run import connections
from collector.storage.database import connect
from tests.collector.school import OWN, PASSWORD, School, post
from tests.free import free_port, wait

pytestmark = pytest.mark.once

FILES = 300
"""What the collector of this test may have open: far fewer than what is connected to it."""


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int, Path]]:
    """A collector in a process of its own, with few files: its address, process and log."""
    folder = tmp_path_factory.mktemp("floods")
    port = free_port()
    database = f"sqlite:///{folder}/c.sqlite"
    settings = {
        "database": database,
        "state": str(folder / "state"),
        "web": {"port": port},
        "broker": {"port": free_port()},
    }
    (folder / "collector.yaml").write_text(yaml.safe_dump(settings))
    engine = connect(database)
    Accounts(engine).add("ann", "administrator", password=PASSWORD)
    engine.dispose()
    run = f"ulimit -n {FILES}; exec {sys.executable} -m deploy.commands.cli collector run"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["/bin/bash", "-c", f"{run} --config {folder}/collector.yaml"],
            stderr=log,
            start_new_session=True,
        )
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            try:
                return httpx.get(f"{url}/sign-in").status_code == 200
            except httpx.TransportError:
                return False

        wait(answers, 60)
        yield url, process.pid, folder / "log"
        os.kill(process.pid, signal.SIGTERM)
        process.wait(30)


ALONE = {"Connection": "close"}
"""A connection of its own: one that is kept may end just when it is used again."""


def test_more_idle_connections_than_files_keep_nobody_out(
    collector: tuple[str, int, Path],
) -> None:
    url, pid, log = collector
    place = urlsplit(url)
    with ExitStack() as stack, httpx.Client(base_url=url, timeout=20) as ann:
        assert post(ann, "/sign-in", name="ann", password=PASSWORD).status_code == 303
        for number in range(3 * FILES):
            raw = socket.create_connection((str(place.hostname), place.port), timeout=20)
            stack.enter_context(raw)
            if number % 3 == 0:
                raw.sendall(b"GET /sign-in HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            if number % 100 == 0:
                assert ann.get("/retention", headers=ALONE).status_code == 200
        assert ann.get("/retention", headers=ALONE).status_code == 200
        assert httpx.get(f"{url}/sign-in").status_code == 200
        assert len(os.listdir(f"/proc/{pid}/fd")) < FILES
    text = log.read_text()
    assert "Traceback" not in text
    assert len(text) < 20_000


def test_room_is_made_by_whoever_has_never_asked_for_anything() -> None:
    """A browser keeps its connection between two pages while others come and only wait."""
    all_of_them = connections.Connections(3)
    with ExitStack() as stack:

        def connect() -> connections.Connection:
            near, far = socket.socketpair()
            stack.enter_context(near)
            stack.enter_context(far)
            one = all_of_them.admit(near, "192.0.2.1")
            assert one is not None
            return one

        def is_open(one: connections.Connection) -> bool:
            one.raw.setblocking(False)
            try:
                return one.raw.recv(1) != b""
            except BlockingIOError:
                return True

        browser = connect()
        cycle = SimpleNamespace(response_complete=True)
        browser.protocol = SimpleNamespace(cycle=cycle, transport=None)
        all_of_them.asks(browser)
        others = [connect() for _ in range(4)]
        assert is_open(browser)
        assert [is_open(one) for one in others] == [False, False, True, True]
        for one in others[2:]:
            one.protocol = browser.protocol
            all_of_them.asks(one)
        connect()
        assert not is_open(browser)  # the oldest, where all have asked


def test_a_network_with_many_answers_to_come_has_room_for_a_request_that_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A school behind one address: its newest connection is not the first to go because others of
    it are being answered."""
    monkeypatch.setattr(connections.Connection, "close", lambda _self: None)
    all_of_them = connections.Connections(30)
    near, far = socket.socketpair()
    with near, far:
        for _ in range(20):
            busy = all_of_them.admit(near, "192.0.2.1")
            assert busy is not None
            busy.protocol = SimpleNamespace(cycle=SimpleNamespace(response_complete=False))
            all_of_them.asks(busy)
        for _ in range(10):
            all_of_them.admit(near, "198.51.100.7")
        newest = all_of_them.admit(near, "192.0.2.1")
        assert newest is not None
        for _ in range(5):
            all_of_them.admit(near, "198.51.100.7")
        assert newest in all_of_them._newcomers["192.0.2.1"].values()


def test_whoever_says_nothing_or_only_half_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "QUIET_S", 0.5)
    monkeypatch.setattr("collector.pages.middleware.BODY_S", 0.5)
    with School(tmp_path) as school:
        place = urlsplit(school.service.url)
        whole = b"GET /sign-in HTTP/1.1\r\nHost: x\r\n\r\n"
        form = b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"
        for words in (b"", b"GET / HTTP/1.1\r\nHost: x\r\n", whole + b"GET / HTTP/1.1\r\n", form):
            with socket.create_connection((str(place.hostname), place.port), timeout=60) as raw:
                raw.sendall(words)
                while raw.recv(65_536):
                    pass  # until it is let go; a time-out fails


def test_live_feeds_are_bounded_for_each_account_and_in_all(tmp_path: Path) -> None:
    few = {"port": 0, "feeds": 3, "feeds_per_account": 2}
    with School(tmp_path, web=few) as school, ExitStack() as stack:
        school.staff()
        school.windows(OWN)
        path = "/api/rooms/school/r101/live"
        feeds: list[Iterator[str]] = []

        def open_feeds(client: httpx.Client) -> int:
            feed = stack.enter_context(client.stream("GET", path))
            if feed.status_code == 200:
                lines = feed.iter_lines()
                next(lines)
                feeds.append(lines)  # or the connection would be closed with it
            return feed.status_code

        ann = stack.enter_context(school.as_person("ann"))
        tess = stack.enter_context(school.as_person("tess"))
        assert [open_feeds(ann) for _ in range(3)] == [200, 200, 429]
        assert [open_feeds(tess) for _ in range(2)] == [200, 429]
        assert ann.get("/retention").status_code == 200
