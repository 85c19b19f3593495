"""NATS' MQTT server as the broker, from Debian's package: retained, last will, acknowledgements.

It speaks MQTT 3.1.1 alone, which agent and collector find out by themselves.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge.common.broker import BrokerSettings
from edge.common.reach import try_connection
from edge.outbox.store import Outbox
from tests.collector.school import School
from tests.conftest import mood
from tests.edge.transport.publishers import publisher_of
from tests.free import free_port, wait, wait_for_port

SERVER = shutil.which("nats-server", path="/usr/sbin:/usr/bin:/usr/local/bin")
BASE = "roommood/v1/school/r101"
pytestmark = [
    pytest.mark.skipif(SERVER is None, reason="nats-server is not installed (Debian: nats-server)"),
    pytest.mark.once,
]


@pytest.fixture
def nats() -> Iterator[int]:
    """The MQTT port of a server that keeps messages on disk, as its MQTT needs."""
    with tempfile.TemporaryDirectory(prefix="roommood-nats-") as folder:
        port = free_port()
        config = Path(folder) / "nats.conf"
        config.write_text(
            f'server_name: school\nlisten: "127.0.0.1:{free_port()}"\n'
            f'jetstream {{ store_dir: "{folder}/store" }}\n'
            f'mqtt {{ listen: "127.0.0.1:{port}" }}\n'
        )
        process = subprocess.Popen(
            [str(SERVER), "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for_port(port, process)
        yield port
        process.terminate()
        process.wait(60)


def listen(port: int, name: str) -> tuple[mqtt.Client, dict[str, list[Any]]]:
    """A plain client, and what came on each topic, each with whether it was retained."""
    messages: dict[str, list[Any]] = defaultdict(list)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name)
    client.on_message = lambda _c, _u, m: messages[m.topic].append(
        (json.loads(m.payload), m.retain)
    )
    client.connect("127.0.0.1", port)
    client.subscribe("roommood/v1/#", qos=1)
    client.loop_start()
    return client, messages


def test_a_window_is_stored_acknowledged_and_kept_for_who_comes_later(
    nats: int, tmp_path: Path
) -> None:
    settings = BrokerSettings(port=nats)
    assert try_connection(settings, "check") is None
    outbox = Outbox(tmp_path / "outbox.sqlite")
    publisher = publisher_of(settings, outbox)
    with School(tmp_path, nats) as school:
        publisher.start()
        outbox.add(mood(start=datetime.now(timezone.utc)))
        publisher.wake()
        wait(lambda: len(outbox) == 0)  # QoS 1 there, the commit, QoS 1 back
        assert [window.mood.seq for window in school.store.latest()] == [0]
        late, messages = listen(nats, "late")
        wait(lambda: {f"{BASE}/mood", f"{BASE}/status"} <= messages.keys())
        assert messages[f"{BASE}/mood"][0][1]  # retained
        publisher.link.cut()  # without a word: the will speaks
        states = messages[f"{BASE}/status"]
        wait(
            lambda: [status["state"] for status, _ in states][:3] == ["online", "offline", "online"]
        )
        publisher.stop(0.1)
        late.disconnect()
        late.loop_stop()
    outbox.close()
