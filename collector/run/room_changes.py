"""Tells of rooms whose state changed; used by one thread alone, that of the announcements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from collector.live.rooms import Key, View

Tell = Callable[[str, dict[str, Any]], None]


class RoomChanges:
    """`update` after every window and status; `tell` hears of a change, not of the first state."""

    def __init__(self, view: Callable[[str, str], View], tell: Tell) -> None:
        self._view, self._tell = view, tell
        self._states: dict[Key, str] = {}

    def update(self, key: Key) -> None:
        state = self._view(*key).state
        before, self._states[key] = self._states.get(key), state
        if before not in (None, state):
            site, room = key
            self._tell("room_state", {"site": site, "room": room, "state": state, "before": before})
