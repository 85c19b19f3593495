"""Many devices' windows from one connection, at a steady rate."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timezone
from uuid import uuid4

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge.protocol.messages import topic
from edge.vision.pack import open_pack

SITE = "load"
NOBODY = {"angry": 0, "disgust": 0, "fear": 0, "sad": 0}
COUNTS = (
    NOBODY | {"happy": 6, "surprise": 4, "neutral": 12, "uncertain": 2},
    NOBODY | {"happy": 4, "surprise": 9, "neutral": 9, "uncertain": 2},
)


def window(
    site: str,
    room: str,
    seq: int,
    seconds: float,
    boot: str = "00000000-0000-4000-8000-000000000000",
    model: str = "0" * 12,
) -> str:
    """A message that a device of the room might send, of a window that ended now."""
    start = datetime.fromtimestamp(time.time() - seconds, timezone.utc)
    content = {
        "schema": "roommood.mood/1",
        "site": site,
        "room": room,
        "device": room,
        "boot": boot,
        "seq": seq,
        "start": start.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "seconds": seconds,
        "clock": "synced",
        "frames": 30,
        "faces": 24,
        "counts": COUNTS[seq // 20 % 2],
        "withheld": None,
        "model": model,
    }
    return json.dumps(content)


class Devices:
    """`rooms` of them; windows are counted from 0 in each."""

    def __init__(
        self, port: int, rooms: int, seconds: float, on_ack: Callable[[str, int], None]
    ) -> None:
        self.rooms = [f"r{number}" for number in range(rooms)]
        self._boots = {room: str(uuid4()) for room in self.rooms}
        self._by_boot = {boot: room for room, boot in self._boots.items()}
        self._seconds = seconds
        # The default pack's, so that the collector takes its errors out, as in a school.
        self._model = open_pack("fer7")[0].digest
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, "load", protocol=mqtt.MQTTv311)
        self._client.max_inflight_messages_set(0)
        self._client.max_queued_messages_set(0)
        self._client.on_message = self._on_message
        self._on_ack = on_ack
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(topic("+", "+", "ack"), qos=0)
        self._client.loop_start()

    def send(self, room: str, seq: int) -> None:
        """One window, which ended now."""
        message = window(SITE, room, seq, self._seconds, self._boots[room], self._model)
        self._client.publish(topic(SITE, room, "mood"), message, qos=1)

    def _on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        ack = json.loads(message.payload)
        self._on_ack(self._by_boot.get(ack["boot"], ""), ack["seq"])

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
