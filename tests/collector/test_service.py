"""A whole collector in this process: real Mosquitto in, HTTP out."""

from __future__ import annotations

import contextlib
import json
import queue
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from prometheus_client import CollectorRegistry

from collector.access.script import token_in
from collector.config import CollectorSettings
from collector.ingest.ingest import Ingest
from collector.ingest.writer import BATCH
from collector.live.rooms import Rooms
from collector.service import Service
from collector.storage.database import connect
from collector.storage.store import Store
from edge.common.broker import BrokerSettings
from edge.common.errors import UserError
from tests.conftest import BOOT, KEEPS, Mosquitto, mood
from tests.free import full_disk, wait

BASE = "roommood/v1/school/r101"


@pytest.fixture
def settings(mosquitto: Mosquitto, tmp_path: Path) -> CollectorSettings:
    return CollectorSettings.model_validate(
        {
            "database": f"sqlite:///{tmp_path}/c.sqlite",
            "state": tmp_path / "state",
            "broker": {"port": mosquitto.port},
            "web": {"port": 0},
            "retention": KEEPS,
        }
    )


@pytest.fixture
def service(settings: CollectorSettings) -> Iterator[Service]:
    new_service = Service(settings)
    new_service.start()
    yield new_service
    new_service.stop()


@pytest.fixture
def web(service: Service, settings: CollectorSettings) -> Iterator[httpx.Client]:
    with script(service, settings) as client:
        yield client


@contextmanager
def script(service: Service, settings: CollectorSettings) -> Iterator[httpx.Client]:
    """One who may read everything, once the collector hears what rooms tell."""
    headers = {"authorization": f"Bearer {token_in(settings.database)}"}
    with httpx.Client(base_url=service.url, timeout=20, headers=headers) as client:
        wait(lambda: client.get("/healthz").status_code == 200)
        yield client


class Room:
    """A device played by a plain MQTT client."""

    def __init__(self, port: int) -> None:
        self.acks: queue.Queue[dict[str, Any]] = queue.Queue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = lambda _c, _u, message: self.acks.put(json.loads(message.payload))
        self.client.connect("127.0.0.1", port)
        self.client.subscribe(f"{BASE}/ack", qos=1)
        self.client.loop_start()

    def send(self, payload: bytes, leaf: str = "mood", base: str = BASE) -> None:
        self.client.publish(f"{base}/{leaf}", payload, qos=1).wait_for_publish(5)


@contextlib.contextmanager
def play(mosquitto: Mosquitto) -> Iterator[Room]:
    """A room on a broker, until the end."""
    room = Room(mosquitto.port)
    yield room
    room.client.disconnect()
    room.client.loop_stop()


@pytest.fixture
def room(mosquitto: Mosquitto) -> Iterator[Room]:
    with play(mosquitto) as new_room:
        yield new_room


def api_moods(web: httpx.Client) -> list[dict[str, Any]]:
    answer = web.get("/api/rooms/school/r101/moods", params={"from": "2020-01-01T00:00:00Z"})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()
    return rows


def viewer_mood() -> dict[str, Any]:
    """A window as viewers get it: without the run that it came from."""
    return {name: value for name, value in json.loads(mood().encode()).items() if name != "boot"}


def test_a_window_is_stored_once_and_acknowledged_each_time(web: httpx.Client, room: Room) -> None:
    for _ in range(2):
        room.send(mood().encode())
        assert room.acks.get(timeout=30) == {"boot": str(BOOT), "seq": 0}
    assert api_moods(web) == [viewer_mood()]
    assert 'roommood_messages_total{kind="mood",result="repeated"} 1.0' in web.get("/metrics").text


def test_what_is_no_mood_is_refused_counted_and_never_stored(web: httpx.Client, room: Room) -> None:
    extra = json.loads(mood().encode()) | {"picture": "aGk="}
    room.send(json.dumps(extra).encode())
    room.send(b"\x00\xff")
    room.send(b"[" * 1000)
    room.send(mood().encode(), base="roommood/v1/school/r999")
    room.send(b"{}", leaf="status")
    room.send(mood(seq=1).encode())
    assert room.acks.get(timeout=30)["seq"] == 1
    assert room.acks.empty()
    assert [row["seq"] for row in api_moods(web)] == [1]
    metrics = web.get("/metrics").text
    assert 'roommood_messages_total{kind="mood",result="refused"} 4.0' in metrics
    assert 'roommood_messages_total{kind="status",result="refused"} 1.0' in metrics


def test_rooms_and_their_state(web: httpx.Client, room: Room) -> None:
    now = datetime.now(timezone.utc)
    room.send(mood(start=now).encode())
    room.acks.get(timeout=30)
    (answer,) = web.get("/api/rooms").json()
    assert (answer["site"], answer["room"], answer["state"]) == ("school", "r101", "live")
    assert answer["mood"]["counts"] == mood().counts
    page = web.get("/rooms/school/r101").text
    assert '<strong id="faces">12</strong>' in page
    assert 'data-label="happy" data-share=' in page
    assert "school" in web.get("/").text


def test_the_feed_tells_of_every_window(web: httpx.Client, room: Room) -> None:
    names: list[str] = []
    with web.stream("GET", "/api/rooms/school/r101/live", timeout=10) as feed:
        assert feed.headers["content-type"].startswith("text/event-stream")
        room.send(mood().encode())
        for line in feed.iter_lines():
            names.append(line)
            if line.startswith("data:"):
                break
    assert "event: mood" in names
    assert json.loads(names[-1].removeprefix("data:")) == viewer_mood()


def test_a_collector_knows_its_rooms_after_a_restart(
    settings: CollectorSettings, room: Room
) -> None:
    first = Service(settings)
    first.start()
    with script(first, settings):
        for seq in (0, 1):
            room.send(mood(seq=seq).encode())
            room.acks.get(timeout=20)
    first.stop()
    second = Service(settings)
    assert second.rooms.unread() == [("school", "r101")]
    second.start()
    with script(second, settings) as web:
        assert [one["room"] for one in web.get("/api/rooms").json()] == ["r101"]
        wait(lambda: second.rooms.unread() == [])  # nobody asked for its page
        assert [one.seq for one in second.rooms.windows("school", "r101")] == [0, 1]
    second.stop()


def test_a_window_sent_while_the_collector_is_away_arrives_later(
    settings: CollectorSettings, room: Room
) -> None:
    first = Service(settings)
    first.start()
    with script(first, settings):
        pass  # connected, so that the broker keeps for it what comes now
    first.stop()
    room.send(mood(seq=8).encode())
    second = Service(settings)
    second.start()
    assert room.acks.get(timeout=30)["seq"] == 8
    second.stop()


@pytest.mark.once
def test_every_answer_carries_the_strict_headers(web: httpx.Client) -> None:
    for path in ("/", "/api/rooms", "/metrics", "/static/live.js", "/nowhere"):
        headers = web.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'"), path
        assert "unsafe" not in policy, path
        assert "form-action 'self'" in policy, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
        assert headers["referrer-policy"] == "no-referrer", path
        assert headers["cache-control"] == "no-store", path
        assert headers["permissions-policy"] == "camera=(), microphone=(), geolocation=()", path


STATUS = {
    "/rooms/school/r404": 404,
    "/rooms/school/R%20101": 422,
    "/api/rooms/school/r101/moods?from=yesterday": 422,
    "/api/rooms/school/r101/moods?from=2026-03-02T08:00:00": 422,
    "/api/rooms/school/r101/moods?from=2030-01-01T00:00:00Z": 422,
    "/api/docs": 200,
    "/api/openapi.json": 200,
}


@pytest.mark.once
def test_paths_that_are_asked_for_wrongly(web: httpx.Client) -> None:
    assert {path: web.get(path).status_code for path in STATUS} == STATUS


def test_the_description_names_every_route_of_the_contract(web: httpx.Client) -> None:
    paths = set(web.get("/api/openapi.json").json()["paths"])
    rooms = "/api/rooms/{site}/{room}"
    assert paths >= {"/api/rooms", f"{rooms}/moods", f"{rooms}/live", "/healthz", "/metrics"}
    docs = web.get("/api/docs").text
    assert all(path in docs for path in paths)
    assert "http://" not in docs.replace("http://www.w3.org", "")


def test_moods_default_to_the_last_half_hour(web: httpx.Client, room: Room) -> None:
    now = datetime.now(timezone.utc)
    room.send(mood(seq=0, start=now - timedelta(hours=1)).encode())
    room.send(mood(seq=1, start=now - timedelta(minutes=1)).encode())
    room.acks.get(timeout=30)
    room.acks.get(timeout=30)
    assert [row["seq"] for row in web.get("/api/rooms/school/r101/moods").json()] == [1]


def test_health_tells_of_a_lost_broker(
    web: httpx.Client, mosquitto: Mosquitto, service: Service
) -> None:
    mosquitto.stop()
    wait(lambda: web.get("/healthz").status_code == 503)
    health = web.get("/healthz").json()
    assert health.pop("workers").keys() <= {"link"}  # which says so a moment later
    assert health == {"status": "failing", "database": True, "broker": False}


def test_a_port_in_use_is_named(
    service: Service, settings: CollectorSettings, tmp_path: Path
) -> None:
    port = int(service.url.rpartition(":")[2])
    web = settings.web.model_copy(update={"port": port})
    other = f"sqlite:///{tmp_path}/other.sqlite"
    same_port = settings.model_copy(update={"web": web, "database": other})
    with pytest.raises(UserError, match=rf"web: 127\.0\.0\.1:{port}: .*choose another port"):
        Service(same_port)


def test_a_full_disk_holds_windows_back_and_loses_none(
    service: Service, web: httpx.Client, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    def send(seqs: range) -> None:
        for seq in seqs:
            room.client.publish(f"{BASE}/mood", mood(seq=seq).encode(), qos=1)

    send(range(1))
    assert room.acks.get(timeout=30)["seq"] == 0
    with full_disk(100):
        send(range(1, 50))
        wait(lambda: web.get("/healthz").status_code == 503)
        assert web.get("/healthz").json()["database"] is False
        with pytest.raises(queue.Empty):
            room.acks.get(timeout=0.5)
        assert web.get("/healthz").json()["broker"] is True
    send(range(1, 50))
    acks = {room.acks.get(timeout=30)["seq"] for _ in range(49)}
    assert acks == set(range(1, 50))
    wait(lambda: web.get("/healthz").status_code == 200)
    assert len([r for r in caplog.records if "agents keep their windows" in r.message]) == 1


def test_what_finds_no_place_is_not_acknowledged_and_comes_again(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.ingest.bounds.BURST", 1e6)  # this is about the queue
    registry = CollectorRegistry()
    store = Store(connect(f"sqlite:///{tmp_path}/c.sqlite"))
    ingest = Ingest(BrokerSettings(port=mosquitto.port), "x", store, Rooms(), registry)
    for seq in range(5 * BATCH):  # nobody writes: it was not started
        ingest.receive(f"{BASE}/mood", mood(seq=seq).encode())
    deferrals = registry.get_sample_value(
        "roommood_messages_total", {"kind": "mood", "result": "deferred"}
    )
    assert deferrals == BATCH


def test_coverage_of_a_lesson(web: httpx.Client, room: Room) -> None:
    begin = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(minutes=10)
    for seq in (*range(10), *range(20, 40)):
        start = begin + timedelta(seconds=15 * seq)
        room.client.publish(f"{BASE}/mood", mood(seq=seq, start=start).encode(), qos=1)
        room.acks.get(timeout=30)
    span = {"from": begin.isoformat(), "to": (begin + timedelta(minutes=10)).isoformat()}
    figures = web.get("/api/rooms/school/r101/coverage", params=span).json()
    assert (figures["seen"], figures["missing"], figures["missing_windows"]) == (0.75, 0.25, 10)
    assert [gap["why"] for gap in figures["gaps"]] == ["missing"]
    backwards = {"from": span["to"], "to": span["from"]}
    answer = web.get("/api/rooms/school/r101/coverage", params=backwards)
    assert answer.status_code == 422
    # The page looks at the half hour up to now, so what it says falls while this test runs.
    match = re.search(
        r"(\d+) % of the last half hour was recorded", web.get("/rooms/school/r101").text
    )
    assert match is not None
    assert 20 <= int(match[1]) <= 78
