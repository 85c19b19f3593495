"""All devices as they are now, for a command that runs beside the collector.

Windows are in the database; how the devices do is retained by the broker, and asked there.
"""

from __future__ import annotations

import contextlib
import time
from importlib.metadata import version
from typing import Any

from collector.fleet.diagnosis import DeviceOut, row
from collector.fleet.registry import DeviceRegistry
from collector.live.rooms import Rooms
from collector.storage.store import Store
from edge.common.broker import BrokerSettings, client
from edge.common.clock import WallClock
from edge.common.errors import UserError
from edge.protocol.messages import MessageError, Status, decode, topic

CONNECTS_S, GRACE_S, LONGEST_S = 5.0, 0.1, 5.0
MARK = "roommood/v1/none/none/command"
"""Subscribed to last: a broker confirms it once it has sent what it retains for the first."""


def fetch_statuses(broker: BrokerSettings, rooms: Rooms) -> bool:
    """Fills in every device's last status; whether the broker answered."""
    last_message = [0.0]

    def on_message(_client: Any, _data: Any, message: Any) -> None:
        last_message[0] = time.monotonic()
        with contextlib.suppress(MessageError):
            rooms.update_status(decode(Status, bytes(message.payload)))

    try:
        mqtt_client = client(broker, f"roommood-list-{time.monotonic_ns()}", "3.1.1", WallClock())
        mqtt_client.on_message = on_message
        mqtt_client.connect(broker.host, broker.port)
    except (OSError, ValueError, UserError):
        return False
    start = time.monotonic()
    while not mqtt_client.is_connected() and time.monotonic() - start < CONNECTS_S:
        mqtt_client.loop(0.1)
    if not mqtt_client.is_connected():
        return False
    confirmed_at: dict[int, float] = {}

    def on_subscribe(_client: Any, _data: Any, number: int, _reasons: Any, _more: Any) -> None:
        confirmed_at[number] = time.monotonic()

    mqtt_client.on_subscribe = on_subscribe
    mqtt_client.subscribe(topic("+", "+", "status"), qos=0)
    last = mqtt_client.subscribe(MARK, qos=0)[1]
    start = time.monotonic()
    while time.monotonic() - start < LONGEST_S:
        mqtt_client.loop(0.05)
        news = max(confirmed_at.get(last or 0, start + LONGEST_S), last_message[0])
        if time.monotonic() - news > GRACE_S:
            break
    mqtt_client.disconnect()
    return True


def device_rows(registry: DeviceRegistry, rooms: Rooms) -> list[DeviceOut]:
    """A row for each device, in order of rooms."""
    ours = version("roommood")
    return [row(device, rooms.view(*device.room), ours) for device in registry.all()]


def as_of_now(registry: DeviceRegistry, store: Store, broker: BrokerSettings) -> list[DeviceOut]:
    """The same without a running collector's memory."""
    rooms = Rooms()
    fetch_statuses(broker, rooms)
    for window in store.latest():
        rooms.update_mood(window.mood, window.received)
    return device_rows(registry, rooms)
