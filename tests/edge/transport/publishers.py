"""A device's publisher for tests, and whoever listens to it at a real broker."""

from __future__ import annotations

import queue
import time
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge.common.broker import BrokerSettings
from edge.common.clock import WallClock
from edge.outbox.store import Outbox
from edge.protocol.messages import Health
from edge.transport.publisher import Publisher
from tests.conftest import BOOT

HEALTH = {
    "version": "0",
    "uptime_s": 1,
    "frames_per_s": 2.0,
    "ms_per_frame": 3.0,
    "waiting": 0,
    "mode": "emotion",
    "because": "attested",
}

BASE = "roommood/v1/school/r101"


class Listener:
    """A plain MQTT client that keeps what arrives."""

    def __init__(self, port: int) -> None:
        self.messages: queue.Queue[Any] = queue.Queue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = lambda _c, _u, message: self.messages.put(message)
        self.client.connect("127.0.0.1", port)
        self.client.subscribe("roommood/#", qos=1)
        self.client.loop_start()

    def next(self, leaf: str, seconds: float = 30) -> Any:
        end = time.monotonic() + seconds
        while True:
            message = self.messages.get(timeout=max(0.01, end - time.monotonic()))
            if message.topic == f"{BASE}/{leaf}":
                return message

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def publisher_of(settings: BrokerSettings, outbox: Outbox, **changes: Any) -> Publisher:
    """Of room r101, not yet started; `changes` are arguments of Publisher."""
    health = Health.model_validate(HEALTH)
    arguments: dict[str, Any] = {
        "site": "school",
        "room": "r101",
        "device": "r101",
        "boot": BOOT,
        "health": lambda: health,
        "on_command": lambda _command: None,
        "clock": WallClock(),
    }
    return Publisher(settings, outbox, **arguments | changes)
