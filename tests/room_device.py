"""A room's device, played by a test: what it publishes, and what it is told."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from itertools import count
from types import TracebackType
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.conftest import mood

CALM = {"happy": 4, "surprise": 3, "neutral": 15, "uncertain": 0}
LIVELY = {"happy": 4, "surprise": 14, "neutral": 4, "uncertain": 0}


NUMBERS = count(1001)
"""Of windows: one that came before, from an earlier test's device too, changes nothing."""


class PlayedDevice:
    """Publishes windows on a broker; `commands` are those that it heard."""

    def __init__(self, port: int, room: str = "r101") -> None:
        self.commands: list[str] = []
        self.port = port
        self._room = room
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda _c, _u, m: self.commands.append(
            json.loads(m.payload)["command"]
        )
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(f"roommood/v1/school/{room}/command", qos=1)
        self._client.loop_start()

    def __enter__(self) -> PlayedDevice:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()

    def window(self, counts: dict[str, int] | None, ago: float = 0, **changes: Any) -> None:
        start = datetime.now(timezone.utc) - timedelta(seconds=15 + ago)
        window = mood(
            **{
                "seq": next(NUMBERS),
                "start": start,
                "room": self._room,
                "device": self._room,
                "faces": None if counts is None else sum(counts.values()),
                "counts": counts,
            }
            | changes
        )
        topic = f"roommood/v1/school/{self._room}/mood"
        self._client.publish(topic, window.encode(), qos=1).wait_for_publish(5)

    def half_an_hour(self) -> None:
        """A calm room that has become a lively one in the last five minutes."""
        for back in range(120, 0, -1):
            self.window(LIVELY if back <= 20 else CALM, ago=15 * back)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
