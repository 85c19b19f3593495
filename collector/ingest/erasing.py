"""Has devices erase what was erased here: they keep windows for days, to be sent again.

Each run of a room's agent is told when it is heard, again after it was away, and now and then: a
message that got lost is not known to be. To erase a second time changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from collector.storage.erasures import Erasures
from edge.protocol.erasure import Span, commands
from edge.protocol.messages import Command, Status

AGAIN_S = 3600.0

EMPTY_S = 60.0
"""Between two times that a room without a device is told: hundreds may be heard at once."""


class DeviceErasures:
    """`update` is called by one thread, with each status; `on_change` hears that more was erased in
    a room, by whomever."""

    def __init__(
        self,
        erasures: Erasures,
        send: Callable[[str, str, Command], None],
        on_change: Callable[[str, str], None] = lambda _site, _room: None,
    ) -> None:
        self._erasures, self._send, self._on_change = erasures, send, on_change
        self._requests: dict[tuple[str, str], tuple[str, list[Span], float]] = {}
        self._empty_rooms: dict[tuple[str, str], float] = {}

    def update(self, status: Status) -> None:
        key, run = (status.site, status.room), str(status.boot)
        if status.state == "offline":
            self._requests.pop(key, None)
            return
        spans, now = self._erasures.spans(*key), time.monotonic()
        boot, last_spans, at = self._requests.get(key, ("", [], float("-inf")))
        if (boot, last_spans) == (run, spans) and now - at < AGAIN_S:
            return
        self._requests[key] = (run, spans, now)
        if boot == run and last_spans != spans:
            self._on_change(*key)
        self.notify(*key)
        self._tell_empty_rooms(status.site, now)

    def _tell_empty_rooms(self, site: str, now: float) -> None:
        """Those where no device is heard: the one that was heard just now may have been there
        before, and keeps what it counted there."""
        for room in self._erasures.all().keys() - self._requests.keys():
            if room[0] == site and now - self._empty_rooms.get(room, float("-inf")) >= EMPTY_S:
                self._empty_rooms[room] = now
                self.notify(*room)

    def notify(self, site: str, room: str) -> None:
        """Whoever is there in the room, now."""
        for command in commands(self._erasures.spans(site, room)):
            self._send(site, room, command)
