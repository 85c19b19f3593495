"""A collector on a disk of its own that runs full and has room again; webhooks are on."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from collector.config import CollectorSettings
from collector.integrations.webhooks import LOOK_S
from collector.service import Service
from deploy.bench.faults.processes import Disk
from edge.protocol.messages import Mood
from tests.collector.integrations.test_integrations import SECRET, Receiver
from tests.collector.test_service import play, script
from tests.conftest import KEEPS, Mosquitto, mood
from tests.free import wait
from tests.full_disk import leave, small_disk

STEPS = 14
"""Pages left free: a window takes some, and then there is none for what is told of it."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path, 8) as one:
        yield one


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.stop()


@contextlib.contextmanager
def running(settings: CollectorSettings, *listeners: Callable[[Mood], None]) -> Iterator[Service]:
    service = Service(settings, *listeners)
    service.start()
    try:
        yield service
    finally:
        service.stop()


def test_windows_are_stored_again_once_there_is_room(
    disk: Disk, mosquitto: Mosquitto, tmp_path: Path, receiver: Receiver
) -> None:
    settings = CollectorSettings.model_validate(
        {
            "database": f"sqlite:///{disk.folder}/c.sqlite",
            "state": tmp_path / "state",
            "broker": {"port": mosquitto.port},
            "web": {"port": 0},
            "webhooks": [{"url": receiver.url, "secret": SECRET, "events": ["room_state"]}],
        }
    )
    failures: dict[str, str] = {}
    with running(settings) as service, play(mosquitto) as room, script(service, settings) as web:

        def send(seq: int) -> None:
            """Each second one shows counts, the others none, so that each changes the state."""
            cells = {"counts": None, "withheld": "few_faces", "faces": None} if seq % 2 else {}
            room.send(mood(seq=seq, start=datetime.now(timezone.utc), **cells).encode())

        def has_ack(seq: int, seconds: float) -> bool:
            with contextlib.suppress(queue.Empty):
                while room.acks.get(timeout=seconds)["seq"] != seq:
                    pass
                return True
            return False

        for seq in range(STEPS):
            leave(disk, seq)
            send(seq)
            is_stored = has_ack(seq, 1)
            until = time.monotonic() + LOOK_S + 0.3  # what is told of it is written down by then
            while time.monotonic() < until:
                health = web.get("/healthz")
                failures |= health.json()["workers"]
                assert health.status_code == (503 if health.json()["workers"] else 200)
                time.sleep(0.1)
            # Late only because the machine is busy, where the collector calls the database well.
            is_stored = is_stored or (health.json()["database"] and has_ack(seq, 30))
            assert is_stored or health.json()["database"] is False
            disk.clear()
            if not is_stored:
                send(seq)  # as its agent would
                assert has_ack(seq, 30), f"window {seq} was never stored"
            wait(lambda: web.get("/healthz").status_code == 200)
        send(STEPS)
        assert has_ack(STEPS, 30)
    events = [json.loads(receiver.events.get(timeout=30)[1]) for _ in range(STEPS)]
    assert [event["data"]["state"] for event in events[:2]] == ["withheld", "live"]
    assert "disk is full" in failures["writer"]
    assert "disk is full" in failures["webhooks"]


def test_one_who_cannot_be_told_keeps_neither_windows_nor_others_from_their_way(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    notices: list[int] = []
    is_mended = threading.Event()

    def notify(window: Mood) -> None:
        if not is_mended.is_set():
            raise OSError("the printer is on fire")
        notices.append(window.seq)

    settings = CollectorSettings.model_validate(
        {
            "database": f"sqlite:///{tmp_path}/c.sqlite",
            "state": tmp_path / "state",
            "broker": {"port": mosquitto.port},
            "retention": KEEPS,
            "web": {"port": 0},
        }
    )
    with (
        running(settings, notify) as service,
        play(mosquitto) as room,
        script(service, settings) as web,
    ):
        for seq in range(2):
            room.send(mood(seq=seq).encode())
            assert room.acks.get(timeout=30)["seq"] == seq
        wait(lambda: web.get("/healthz").status_code == 503)
        failing = {"announcements": "stored: the printer is on fire"}
        assert web.get("/healthz").json()["workers"] == failing
        is_mended.set()
        service.announcements.look_soon()
        wait(lambda: web.get("/healthz").status_code == 200)  # though nothing more was sent
        assert notices == [1]
