"""Tells of rooms whose state changed; used by one thread alone, that of the announcements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from collector.live.rooms import Key, RoomView

Notify = Callable[[str, dict[str, Any]], None]


class RoomChanges:
    """`update` after every window and status; `notify` hears of changes, not of the first state."""

    def __init__(self, notify: Notify) -> None:
        self._notify = notify
        self._states: dict[Key, str] = {}

    def update(self, view: RoomView) -> None:
        key = (view.site, view.room)
        before, self._states[key] = self._states.get(key), view.state
        if before not in (None, view.state):
            site, room = key
            change = {"site": site, "room": room, "state": view.state, "before": before}
            self._notify("room_state", change)
