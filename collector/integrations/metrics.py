"""Every room's state as Prometheus gauges: how the devices do, and no expression."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import get_args

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from collector.live.rooms import Rooms, RoomState

NUMBERS = {
    "frames_per_s": "Frames analysed per second.",
    "ms_per_frame": "Milliseconds that a frame takes.",
    "waiting": "Windows in the device's outbox.",
    "temperature_c": "The device's temperature.",
    "memory_mb": "The agent's memory.",
    "uptime_s": "For how long the agent has run.",
    "last_ack_s": "Seconds since the collector last acknowledged, when the device last said.",
}


class RoomMetrics(Collector):
    """Made from what is known at the moment of asking."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def collect(self) -> Iterator[GaugeMetricFamily]:
        names = ["site", "room"]
        views = self._rooms.all()
        state = GaugeMetricFamily(
            "roommood_room_state", "1 for the state that a room is in.", labels=[*names, "state"]
        )
        age = GaugeMetricFamily(
            "roommood_room_window_age_seconds", "Since the newest window ended.", labels=names
        )
        for view in views:
            for one in get_args(RoomState):
                state.add_metric([view.site, view.room, one], float(view.state == one))
            if view.mood is not None:
                ended = view.mood.start.timestamp() + view.mood.seconds
                age.add_metric([view.site, view.room], time.time() - ended)
        yield state
        yield age
        for field, meaning in NUMBERS.items():
            gauge = GaugeMetricFamily(f"roommood_device_{field}", meaning, labels=names)
            for view in views:
                health = view.status.health if view.status is not None else None
                value = getattr(health, field, None)
                if value is not None:
                    gauge.add_metric([view.site, view.room], float(value))
            yield gauge
