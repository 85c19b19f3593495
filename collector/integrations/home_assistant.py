"""Rooms that appear in a Home Assistant on the same broker by themselves, if the school wants it.

Retained discovery messages for each room, a sensor each, and one retained message
with the room's figures: what the collector shows, no more.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from collector.live.rooms import Key, RoomView
from edge.protocol.messages import Mood

Publish = Callable[[str, bytes], None]

STATES = ("live", "withheld", "paused", "offline", "waiting")


def state_topic(site: str, room: str) -> str:
    """Not below roommood/v1, where only what the contract names may be."""
    return f"roommood/home/{site}/{room}"


class HomeAssistantRooms:
    """Called with every window and status, by one thread; tells only what changed."""

    def __init__(self, prefix: str, publish: Publish) -> None:
        self._prefix = prefix
        self._publish = publish
        self._announced: dict[Key, tuple[str, ...]] = {}
        self._told: dict[Key, bytes] = {}

    def tell(self, view: RoomView) -> None:
        key = (view.site, view.room)
        labels = tuple(view.mood.counts or ()) if view.mood else ()
        known = self._announced.get(key)
        if known is None or set(labels) - set(known):
            every = tuple(dict.fromkeys((*(known or ()), *labels)))
            for part in discovery(*key, every):
                topic = f"{self._prefix}/sensor/{part['unique_id']}/config"
                self._publish(topic, json.dumps(part).encode())
            self._announced[key] = every
        state = json.dumps(figures(view)).encode()
        if self._told.get(key) != state:
            self._publish(state_topic(*key), state)
            self._told[key] = state

    def forget(self, view: RoomView) -> None:
        """What was known of a room is erased; what is known now, if anything, is told anew."""
        key = (view.site, view.room)
        self._publish(state_topic(*key), b"")
        self._told.pop(key, None)
        if view.mood is not None or view.status is not None:
            self.tell(view)


def figures(view: RoomView) -> dict[str, Any]:
    """What is told of a room: null where it is not known."""
    mood: Mood | None = view.mood if view.state == "live" else None
    counts = mood.counts or {} if mood else {}
    return {"state": view.state, "faces": mood.faces if mood else None, "counts": counts}


def discovery(site: str, room: str, labels: tuple[str, ...]) -> list[dict[str, Any]]:
    """A sensor for the state, one for the faces, and one for each expression, all of one device.

    A message each, though one could announce them all: that would be larger than what our own
    rules let a broker pass on.
    """
    own = f"roommood_{site}_{room}"
    parts: list[dict[str, Any]] = [
        {
            "name": "State",
            "device_class": "enum",
            "options": list(STATES),
            "unique_id": f"{own}_state",
            "value_template": "{{ value_json.state }}",
            "icon": "mdi:google-classroom",
        },
        _count("Faces", f"{own}_faces", "value_json.faces"),
    ]
    for label in labels:
        value = f"value_json.counts['{label}'] if '{label}' in value_json.counts else None"
        parts.append(_count(label.capitalize(), f"{own}_{label}", value))
    shared = {
        "device": {
            "identifiers": [own],
            "name": f"Room {room}",
            "manufacturer": "roommood",
            "model": "room",
            "sw_version": version("roommood"),
        },
        "origin": {"name": "roommood", "sw_version": version("roommood")},
        "state_topic": state_topic(site, room),
        "qos": 1,
    }
    return [part | shared for part in parts]


def _count(name: str, unique: str, value: str) -> dict[str, Any]:
    return {
        "name": name,
        "state_class": "measurement",
        "unit_of_measurement": "faces",
        "unique_id": unique,
        "value_template": f"{{{{ {value} }}}}",
    }
