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
    """Why somebody could not be told, and what to do to try it again."""

    why: str
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
        self._failing: dict[tuple[str, Key | None], Failure] = {}
        """By who could not be told, and of which room: that he is told of another says nothing."""

    def run_once(self) -> None:
        """Everything that waits, and what is due."""
        super().run_once()
        if time.monotonic() >= self._look_at:
            self._look_round()
        self._every_s = max(BRIEF_S, self._look_at - time.monotonic())

    def _look_round(self) -> None:
        """Whose state changed by itself, and who could not be told before."""
        self._look_at = time.monotonic() + IDLE_S
        for view in self._rooms():
            key = (view.site, view.room)
            if self._states.setdefault(key, view.state) != view.state:
                self._show(view)
        for (name, room), failure in list(self._failing.items()):
            self._try(name, failure.act, room)
        for name, look in self._looks.items():
            self._try(name, partial(self._look, look))

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
            for listener in list(self._failing):
                if listener[1] == room:  # what was erased is told to nobody
                    del self._failing[listener]
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
        failing = {name: one.why for (name, _), one in dict(self._failing).items()}
        return super().problem() or "; ".join(f"{name}: {why}" for name, why in failing.items())

    def _try(self, name: str, act: Callable[[], object], room: Key | None = None) -> None:
        try:
            act()
        except Exception as error:  # the others are to be told all the same
            if not self._fails(name):  # said once, however many rooms there are
                log.exception("%s cannot be told", name)
            self._failing[name, room] = Failure(first_line(error), act)
            return
        if self._failing.pop((name, room), None) and not self._fails(name):
            log.info("%s: told again", name)

    def _fails(self, name: str) -> bool:
        return any(listener == name for listener, _ in self._failing)
