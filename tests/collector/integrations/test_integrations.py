from __future__ import annotations

import json
import queue
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from prometheus_client import generate_latest
from sqlalchemy import select, update
from standardwebhooks import Webhook, WebhookVerificationError

from collector.access.settings_audit import audit_settings
from collector.integrations.webhook_receiver import GIVES_UP_AFTER, target
from collector.integrations.webhooks import Webhooks
from collector.storage.database import connect
from collector.storage.tables import deliveries
from edge.common.errors import UserError
from tests.collector.school import OWN, School, post
from tests.conftest import KEEPS, ROOT, Mosquitto, mood

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Receiver:
    """A web server that takes what is posted to it, or refuses."""

    def __init__(self) -> None:
        self.events: queue.Queue[tuple[dict[str, str], str]] = queue.Queue()
        self.status = 204
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                receiver.events.put(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.stop()


def test_a_lesson_is_told_by_webhook_and_signed(tmp_path: Path, receiver: Receiver) -> None:
    hooks = [{"url": receiver.url, "secret": SECRET, "events": ["lesson_began", "lesson_ended"]}]
    with School(tmp_path, webhooks=hooks) as school:
        school.staff()
        school.windows(OWN)
        with school.as_person("tess") as client:
            post(client, "/rooms/school/r101/lessons", title="Optics")
            headers, body = receiver.events.get(timeout=30)
            post(client, f"/lessons/{school.repository.of()[0].id}/end", confirm="yes")
        payload = json.loads(body)
        assert payload["type"] == "lesson_began"
        assert (payload["data"]["title"], payload["data"]["teacher"]) == ("Optics", "tess")
        assert Webhook(SECRET).verify(body, headers) == payload
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(body.replace("Optics", "Waves"), headers)
        assert json.loads(receiver.events.get(timeout=30)[1])["type"] == "lesson_ended"


def test_what_nobody_takes_is_told_again_after_a_restart_too(
    tmp_path: Path, receiver: Receiver
) -> None:
    engine = connect(f"sqlite:///{tmp_path}/c.sqlite")
    receiver.status = 500
    hooks = [target(receiver.url, SECRET, ["room_state"])]
    first = Webhooks(engine, hooks)
    first.notify("room_state", {"room": "r101"})
    first.notify("lesson_began", {"room": "r101"})  # which this target did not ask for
    first.write_down()
    now = time.time() + 1
    first.receivers[0].round(now)
    name = receiver.events.get(timeout=30)[0]["webhook-id"]
    second = Webhooks(engine, hooks).receivers[0]
    second.round(now)
    assert receiver.events.empty()  # not yet
    receiver.status = 204
    second.round(now + 60)
    headers, body = receiver.events.get(timeout=30)
    assert json.loads(body)["data"] == {"room": "r101"}
    assert headers["webhook-id"] == name == json.loads(body)["id"]
    second.round(now + 9999)
    assert receiver.events.empty()
    engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_event_has_a_name_of_its_own(
    kind: str, tmp_path: Path, receiver: Receiver, request: pytest.FixtureRequest
) -> None:
    """SQLite gives a row's number again once the row is gone, and a sent event's row is."""
    url = f"sqlite:///{tmp_path}/c.sqlite"
    if kind == "postgresql":
        url = request.getfixturevalue("postgres").fresh()
    engine = connect(url)
    hooks, names = Webhooks(engine, [target(receiver.url, SECRET, ["room_state"])]), set[str]()
    for _ in range(3):
        hooks.notify("room_state", {})
        hooks.write_down()
        hooks.receivers[0].round(time.time() + 1)
        names.add(receiver.events.get(timeout=30)[0]["webhook-id"])
    assert len(names) == 3
    engine.dispose()


def test_after_a_day_it_is_given_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    engine = connect(f"sqlite:///{tmp_path}/c.sqlite")
    hooks = Webhooks(engine, [target("http://127.0.0.1:1/x", SECRET, ["room_state"])])
    hooks.notify("room_state", {})
    hooks.write_down()
    with engine.begin() as connection:
        connection.execute(update(deliveries).values(tries=GIVES_UP_AFTER - 1))
    hooks.receivers[0].round(time.time() + 1)
    with engine.connect() as connection:
        assert connection.execute(select(deliveries.c.given_up)).scalar_one()
    assert "giving up" in caplog.text
    engine.dispose()


def test_a_secret_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match="not base64"):
        target("http://127.0.0.1/", "no secret at all!", [])


def test_metrics_tell_of_rooms_and_of_no_expression(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with School(tmp_path, mosquitto.port, retention=KEEPS) as school:
        school.windows(OWN)
        with school.as_script() as client:
            text = client.get("/metrics").text
    assert 'roommood_room_state{room="r101",site="school",state="live"} 1.0' in text
    assert "roommood_room_window_age_seconds" in text
    assert "happy" not in text


def test_the_dashboard_asks_for_what_is_measured(tmp_path: Path) -> None:
    board = json.loads((ROOT / "deploy" / "examples" / "grafana.json").read_text())
    with School(tmp_path) as school:
        metrics = generate_latest(school.service.registry).decode()
    for panel in board["panels"]:
        for query_target in panel["targets"]:
            (name,) = re.findall(r"roommood_\w+", query_target["expr"])
            assert f"# TYPE {name} " in metrics


def test_a_change_of_the_settings_is_noted_by_name_alone(tmp_path: Path) -> None:
    with School(tmp_path) as first:
        assert len(first.service.audit) == 0
    hooks = [{"url": "http://127.0.0.1:1/", "secret": SECRET}]
    with School(tmp_path, webhooks=hooks, school={"timezone": "Europe/Berlin"}) as later:
        entry = later.service.audit.newest(1)[0]
        assert (entry.what, entry.about) == (
            "settings changed",
            "broker.port, school.timezone, webhooks",
        )
        with later.engine.connect() as connection:
            value = connection.exec_driver_sql(
                "SELECT value FROM setting WHERE key = 'settings'"
            ).scalar_one()
        assert SECRET not in str(value)
        audit_settings(
            later.engine,
            later.service.audit,
            later.settings,
            (tmp_path / "state" / "secret.key").read_bytes(),
        )
        assert len(later.service.audit) == 1


def test_messages_are_as_the_asyncapi_page_says(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """What is really on the broker, while a collector works, against docs/asyncapi.yaml."""
    page = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text())
    addresses = {
        channel["address"].rpartition("/")[2]: channel for channel in page["channels"].values()
    }
    messages: queue.Queue[tuple[str, Any]] = queue.Queue()
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _c, _u, m: messages.put((m.topic, json.loads(m.payload)))
    client.connect("127.0.0.1", mosquitto.port)
    client.subscribe("roommood/v1/#", qos=1)
    client.loop_start()
    with School(tmp_path, mosquitto.port, retention=KEEPS) as school:
        client.publish("roommood/v1/school/r101/mood", mood().encode(), qos=1)
        with school.as_script() as asks:
            asks.post("/api/rooms/school/r101/command", json={"command": "pause"})
        leaves = {}
        for _ in range(3):
            topic, content = messages.get(timeout=30)
            leaves[topic.rpartition("/")[2]] = content
    client.disconnect()
    client.loop_stop()
    assert set(leaves) == {"mood", "ack", "command"}
    for leaf, content in leaves.items():
        (message,) = addresses[leaf]["messages"].values()
        reference = message["payload"]["$ref"]
        schema = json.loads((ROOT / "docs" / reference).read_text())
        jsonschema.validate(content, schema)
