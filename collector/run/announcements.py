"""Tells everybody else what the rooms sent: pages, lessons, webhooks, Home Assistant, the fleet.

Between those who store and those who are told there is this queue. One that fails is said, and
keeps neither windows from being stored nor others from being told.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from collector.live.rooms import Key, RoomState, RoomView
from edge.common.worker import IDLE_S, QueueWorker, first_line
from edge.protocol.messages import Mood, Status

log = logging.getLogger(__name__)

MOST = 20_000
"""Some ten seconds of the load that one collector bears."""

BRIEF_S = 0.1
"""Until there is another look, where one has more to do."""


class Announcement(NamedTuple):
    """A window that was stored, or a status, and the room as it then was; without a message, that
    what was known of it was erased."""

    message: Mood | Status | None
    view: RoomView


class Failure(NamedTuple):
    """Who could not be told: why, of which room, and what to do to try it again."""

    why: str
    room: Key | None
    act: Callable[[], object]


class Announcements(QueueWorker[Announcement]):
    """What is `put` is told to all, by name, in order: windows, statuses, and rooms at both.

    A room that changes by itself, as by falling silent, is told too: `rooms` are looked through now
    and then. `looks` are asked then as well; each returns whether it has more to do at once.
    """

    def __init__(
        self,
        of_rooms: Mapping[str, Callable[[RoomView], object]],
        of_moods: Mapping[str, Callable[[Mood], None]],
        of_statuses: Mapping[str, Callable[[Status], None]],
        of_erasures: Mapping[str, Callable[[RoomView], None]],
        rooms: Callable[[], Iterable[RoomView]] = tuple,
        looks: Mapping[str, Callable[[], bool]] = MappingProxyType({}),
    ) -> None:
        super().__init__("announcements", MOST)
        self._of_erasures = dict(of_erasures)
        self._of_rooms = dict(of_rooms)
        self._of_moods, self._of_statuses = dict(of_moods), dict(of_statuses)
        self._rooms, self._looks = rooms, dict(looks)
        self._states: dict[Key, RoomState] = {}
        self._look_at = 0.0
        self._failing: dict[str, Failure] = {}

    def run_once(self) -> None:
        """Everything that waits, and what is due."""
        super().run_once()
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + IDLE_S
        for view in self._rooms():
            key = (view.site, view.room)
            if self._states.setdefault(key, view.state) != view.state:
                self._show(view)
        for name, failure in list(self._failing.items()):
            self._try(name, failure.act, failure.room)
        for name, look in self._looks.items():
            self._try(name, partial(self._look, look))
        self._every_s = max(BRIEF_S, self._look_at - time.monotonic())

    def _look(self, look: Callable[[], bool]) -> None:
        if look():
            self._look_at = time.monotonic() + BRIEF_S

    def look_soon(self) -> None:
        """There is something to be told though nothing was put; from any thread."""
        self._look_at = 0.0
        self.wake()

    def _show(self, view: RoomView) -> None:
        self._states[view.site, view.room] = view.state
        for name, show in self._of_rooms.items():
            self._try(name, partial(show, view), (view.site, view.room))

    def handle(self, item: Announcement) -> None:
        """Tells everybody. Who cannot be told is told of the newest alone, later: by then there is
        other news, and health is to know when it is over, even where there is none."""
        message, view = item
        room = (view.site, view.room)
        if message is None:
            self._states.pop(room, None)
            for name, failure in list(self._failing.items()):
                if failure.room == room:  # what was erased is told to nobody
                    del self._failing[name]
            for name, forget in self._of_erasures.items():
                self._try(name, partial(forget, view), room)
            return
        self._show(view)
        if isinstance(message, Mood):
            for name, act in self._of_moods.items():
                self._try(name, partial(act, message), room)
        else:
            for name, hear in self._of_statuses.items():
                self._try(name, partial(hear, message), room)

    def problem(self) -> str:
        """Of one who could not be told the last time, too."""
        failing = (f"{name}: {one.why}" for name, one in dict(self._failing).items())
        return super().problem() or "; ".join(failing)

    def _try(self, name: str, act: Callable[[], object], room: Key | None = None) -> None:
        try:
            act()
        except Exception as error:  # the others are to be told all the same
            if name not in self._failing:
                log.exception("%s cannot be told", name)
            self._failing[name] = Failure(first_line(error), room, act)
            return
        if self._failing.pop(name, None):
            log.info("%s: told again", name)
