"""Home Assistant's discovery messages for a room: https://www.home-assistant.io/integrations/mqtt."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any, NamedTuple

from edge.protocol.messages import MAX_BYTES, OTHER, UNCERTAIN

STATES = ("live", "withheld", "paused", "offline", "waiting")

ICONS = {
    "happy": "mdi:emoticon-happy-outline",
    "sad": "mdi:emoticon-sad-outline",
    "angry": "mdi:emoticon-angry-outline",
    "neutral": "mdi:emoticon-neutral-outline",
    "surprise": "mdi:emoticon-excited-outline",
    "fear": "mdi:emoticon-frown-outline",
    "disgust": "mdi:emoticon-sick-outline",
    UNCERTAIN: "mdi:help-circle-outline",
    OTHER: "mdi:dots-horizontal-circle-outline",
}

OPTIONAL = ("suggested_area", "configuration_url")
"""Of a device; left out where a message would be larger than our rules let a broker pass on."""


class HomeRoom(NamedTuple):
    """What Home Assistant is told of a room besides its figures."""

    site: str
    room: str
    title: str
    page: str | None
    """Its page, where people's browsers reach it."""
    version: str | None
    """Of the software on the room's device."""

    @property
    def own(self) -> str:
        """What its entities' names begin with; site and room have no underscore."""
        return f"roommood_{self.site}_{self.room}"


def state_topic(site: str, room: str) -> str:
    """Not below roommood/v1, where only what the contract names may be."""
    return f"roommood/home/{site}/{room}"


def availability_topic(collector: str) -> str:
    """Whether the collector of that name works; a level higher than any room's."""
    return f"roommood/home/{collector}"


def discovery(
    room: HomeRoom, labels: tuple[str, ...], collector: str, *, state_only: bool = False
) -> list[dict[str, Any]]:
    """A sensor for the state, one for the faces, and one for each expression, all of one device.

    A message each, though one could announce them all: that would be larger than what our own
    rules let a broker pass on. The first one describes the device, the others name it.
    """
    own = room.own
    parts: list[dict[str, Any]] = [
        {
            "name": "State",
            "device_class": "enum",
            "options": list(STATES),
            "unique_id": f"{own}_state",
            "value_template": "{{ value_json.state }}",
            "icon": "mdi:google-classroom",
        }
    ]
    if not state_only:
        parts.append(_count("Faces", f"{own}_faces", "value_json.faces", "mdi:account-group"))
        parts += [_expression(own, label) for label in labels]
    common = {
        "origin": {"name": "roommood", "sw_version": version("roommood")},
        "availability_topic": availability_topic(collector),
        "state_topic": state_topic(room.site, room.room),
        "qos": 1,
    }
    device = _device(room)
    names = {key: device[key] for key in ("identifiers", "name")}
    configurations = [part | common | {"device": names} for part in parts]
    configurations[0]["device"] = device
    for name in OPTIONAL:
        if len(encode(configurations[0])) > MAX_BYTES:
            device.pop(name, None)
    return configurations


def encode(part: dict[str, Any]) -> bytes:
    return json.dumps(part, ensure_ascii=False).encode()


def _device(room: HomeRoom) -> dict[str, Any]:
    sensors = {
        "identifiers": [room.own],
        "name": f"{room.title} ({room.site})",
        "manufacturer": "roommood",
        "model": "room",
        "suggested_area": room.title,
        "configuration_url": room.page,
        "sw_version": room.version,
    }
    return {name: value for name, value in sensors.items() if value is not None}


def _expression(own: str, label: str) -> dict[str, Any]:
    """Where counts were merged, a 0 says that the label's count is not told, not that it is 0."""
    counts = "value_json.counts"
    merge = "" if label == OTHER else f" and ({counts}['{label}'] or not {counts}.get('{OTHER}'))"
    value = f"{counts}['{label}'] if '{label}' in {counts}{merge} else None"
    icon = ICONS.get(label, "mdi:emoticon-outline")
    return _count(label.capitalize(), f"{own}_{label}", value, icon)


def _count(name: str, unique: str, value: str, icon: str) -> dict[str, Any]:
    return {
        "name": name,
        "state_class": "measurement",
        "unit_of_measurement": "faces",
        "unique_id": unique,
        "value_template": f"{{{{ {value} }}}}",
        "icon": icon,
    }
