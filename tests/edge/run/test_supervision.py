from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.common.watchdog import TRY_AGAIN
from edge.common.worker import Worker, Workers
from edge.run.supervision import Deadline, Progress, Supervisor, resident_mb
from tests.free import wait


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What a service manager hears, on a socket of its own."""
    messages: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(0.1)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        is_over = threading.Event()

        def listen() -> None:
            while not is_over.is_set():
                try:
                    messages.append(listener.recv(4096).decode().strip())
                except TimeoutError:
                    continue

        thread = threading.Thread(target=listen)
        thread.start()
        yield messages
        is_over.set()
        thread.join()


def supervisor(
    *deadlines: Deadline,
    memory_mb: float = 10_000,
    exits: list[int] | None = None,
    workers: Workers | None = None,
) -> tuple[Supervisor, list[str]]:
    given_up: list[str] = []
    codes = [] if exits is None else exits
    new_supervisor = Supervisor(
        workers or Workers(()),
        deadlines,
        memory_mb,
        lambda: "2 frames/s",
        given_up.append,
        codes.append,
    )
    return new_supervisor, given_up


def test_systemd_hears_that_all_is_well(systemd: list[str]) -> None:
    guard, given_up = supervisor(Deadline("inference", Progress().still, 60))
    guard.start()
    wait(lambda: systemd.count("WATCHDOG=1") >= 2)
    guard.stop()
    assert systemd[0] == "READY=1"
    assert systemd.count("STATUS=2 frames/s") == 1  # told when it changes, not each time
    assert given_up == []


def test_a_part_that_stands_still_ends_the_process(
    systemd: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("edge.common.watchdog.GRACE_S", 0.2)
    exits: list[int] = []
    guard, given_up = supervisor(Deadline("publishing", lambda: 61.0, 60), exits=exits)
    guard.start()
    wait(lambda: exits == [TRY_AGAIN])
    assert given_up == ["publishing: has not moved for 60 s"]
    assert "WATCHDOG=1" not in systemd
    lines = [record.message for record in caplog.records]
    assert lines == ["publishing: has not moved for 60 s: restarting"]
    guard.stop()


def test_one_that_stops_in_good_order_is_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    exits: list[int] = []
    guard, given_up = supervisor(Deadline("camera", lambda: 2.0, 1), exits=exits)
    guard.start()
    wait(lambda: bool(given_up))
    guard.stop()
    time.sleep(0.1)
    assert exits == []


def test_memory_has_a_ceiling() -> None:
    guard, _ = supervisor(memory_mb=1)
    assert "more than 1 MB" in guard.wrong()
    assert supervisor(memory_mb=2 * resident_mb())[0].wrong() == ""


def test_progress_is_still_until_it_moves() -> None:
    progress = Progress()
    time.sleep(0.05)
    assert progress.still() >= 0.05
    progress.beat()
    assert progress.still() < 0.05


def test_a_worker_whose_thread_has_ended_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Idle(Worker):
        def run_once(self) -> None:
            self._stopping.wait()

    monkeypatch.setattr("edge.common.watchdog.GRACE_S", 0.1)
    idle, exits = Idle("idle"), list[int]()
    guard, given_up = supervisor(exits=exits, workers=Workers((idle,)))
    idle.start()
    assert guard.wrong() == ""
    idle.stop()
    guard.start()
    wait(lambda: exits == [TRY_AGAIN])
    assert given_up == ["idle: its thread has ended"]
    guard.stop()


def test_one_that_cannot_even_give_up_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_why: str) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("edge.common.watchdog.GRACE_S", 0.1)
    exits: list[int] = []
    guard = Supervisor(Workers(()), (), 1, lambda: "", fails, exits.append)
    guard.start()
    wait(lambda: exits == [TRY_AGAIN])
    guard.stop()
