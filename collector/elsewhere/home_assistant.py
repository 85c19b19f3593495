"""Rooms that appear in a Home Assistant on the same broker by themselves, if the school wants it.

One retained discovery message per room, in Home Assistant's device format, and one retained message
with the room's figures: what the collector shows, no more.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from collector.live import Key, View
from edge.mood import Mood

Publish = Callable[[str, bytes], None]

STATES = ("live", "withheld", "paused", "offline", "waiting")


def state_topic(site: str, room: str) -> str:
    """Not below roommood/v1, where only what the contract names may be."""
    return f"roommood/home/{site}/{room}"


class HomeAssistantRooms:
    """Called with every window and status; tells only what changed."""

    def __init__(self, prefix: str, publish: Publish) -> None:
        self._prefix = prefix
        self._publish = publish
        self._announced: dict[Key, tuple[str, ...]] = {}
        self._told: dict[Key, bytes] = {}
        self._lock = threading.Lock()

    def tell(self, view: View) -> None:
        key = (view.site, view.room)
        labels = tuple(view.mood.counts or ()) if view.mood else ()
        with self._lock:
            known = self._announced.get(key)
            if known is None or set(labels) - set(known):
                every = tuple(dict.fromkeys((*(known or ()), *labels)))
                self._announced[key] = every
                topic = f"{self._prefix}/device/roommood-{view.site}-{view.room}/config"
                self._publish(topic, json.dumps(discovery(*key, every)).encode())
            state = json.dumps(figures(view)).encode()
            if self._told.get(key) != state:
                self._told[key] = state
                self._publish(state_topic(*key), state)


def figures(view: View) -> dict[str, Any]:
    """What is told of a room: null where it is not known."""
    mood: Mood | None = view.mood if view.state == "live" else None
    counts = mood.counts or {} if mood else {}
    return {"state": view.state, "faces": mood.faces if mood else None, "counts": counts}


def discovery(site: str, room: str, labels: tuple[str, ...]) -> dict[str, Any]:
    """A device with a sensor for the state, one for the faces, and one for each expression."""
    own = f"roommood_{site}_{room}"
    parts: dict[str, Any] = {
        "state": {
            "platform": "sensor",
            "name": "State",
            "device_class": "enum",
            "options": list(STATES),
            "unique_id": f"{own}_state",
            "value_template": "{{ value_json.state }}",
            "icon": "mdi:google-classroom",
        },
        "faces": _count("Faces", f"{own}_faces", "value_json.faces"),
    }
    for label in labels:
        value = f"value_json.counts['{label}'] if '{label}' in value_json.counts else None"
        parts[label] = _count(label.capitalize(), f"{own}_{label}", value)
    return {
        "device": {
            "identifiers": [own],
            "name": f"Room {room}",
            "manufacturer": "roommood",
            "model": "room",
            "sw_version": version("roommood"),
        },
        "origin": {"name": "roommood", "sw_version": version("roommood")},
        "components": parts,
        "state_topic": state_topic(site, room),
        "qos": 1,
    }


def _count(name: str, unique: str, value: str) -> dict[str, Any]:
    return {
        "platform": "sensor",
        "name": name,
        "state_class": "measurement",
        "unit_of_measurement": "faces",
        "unique_id": unique,
        "value_template": f"{{{{ {value} }}}}",
    }
