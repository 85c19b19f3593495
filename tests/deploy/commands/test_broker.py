"""The example's rules in a real Mosquitto: it passes on what a device may say, and no more."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.conftest import ROOT, mood
from tests.free import free_port, wait, wait_for_port

EXAMPLES = ROOT / "deploy" / "examples"
USERS = ("collector", "r101", "r102")


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    free = free_port()
    passwords = tmp_path / "roommood.passwd"
    passwords.write_text("")
    for user in USERS:
        subprocess.run(["mosquitto_passwd", "-b", str(passwords), user, user], check=True)
    rules = tmp_path / "roommood.acl"
    rules.write_text((EXAMPLES / "mosquitto.acl").read_text())
    text = (EXAMPLES / "mosquitto.conf").read_text()
    text = text.replace("listener 1883", f"listener {free}")
    text = text.replace("/etc/mosquitto/roommood", str(tmp_path / "roommood"))
    (tmp_path / "mosquitto.conf").write_text(
        f"{text}persistence_location {tmp_path}/\nuser root\n"  # read files that are root's
    )
    broker = subprocess.Popen(
        ["/usr/sbin/mosquitto", "-c", str(tmp_path / "mosquitto.conf")], stderr=subprocess.DEVNULL
    )
    wait_for_port(free, broker)
    yield free
    broker.terminate()
    broker.wait(60)


class User:
    """A client that remembers what it heard."""

    def __init__(self, name: str, port: int, topics: str) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.username_pw_set(name, name)
        self._client.on_message = lambda _c, _u, m: self.messages.append(
            (m.topic, bytes(m.payload))
        )
        is_subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: is_subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(topics, qos=1)
        self._client.loop_start()
        assert is_subscribed.wait(30)

    def say(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, qos=1)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def test_a_device_writes_its_own_two_topics_and_nothing_large(port: int) -> None:
    collector, device = User("collector", port, "#"), User("r101", port, "#")
    message = mood().encode()
    device.say("roommood/v1/school/r101/picture", b"a topic of its own")
    device.say("roommood/v1/school/r102/mood", message)
    device.say("roommood/v1/school/r101/ack", b"{}")
    device.say("roommood/v1/school/r101/mood", b"x" * 1025)
    device.say("elsewhere", b"x")
    device.say("roommood/v1/school/r101/mood", message)
    wait(lambda: len(collector.messages) > 0)
    time.sleep(0.3)
    assert collector.messages == [("roommood/v1/school/r101/mood", message)]
    collector.say("roommood/v1/school/r101/ack", b"{}")
    collector.say("roommood/v1/school/r102/ack", b"{}")
    wait(lambda: len(device.messages) > 0)
    time.sleep(0.3)
    assert device.messages == [("roommood/v1/school/r101/ack", b"{}")]
    device.close()
    collector.close()


def test_nobody_speaks_without_a_name(port: int) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    refusals: list[str] = []
    client.on_connect = lambda _c, _u, _f, reason, _p: refusals.append(str(reason))
    client.connect("127.0.0.1", port)
    client.loop_start()
    wait(lambda: bool(refusals))
    client.disconnect()
    client.loop_stop()
    assert refusals[0] == "Not authorized"
