"""Tells everybody else what the rooms sent: pages, lessons, webhooks, Home Assistant, the fleet.

Between those who store and those who are told there is this queue. One that fails is said, and
keeps neither windows from being stored nor others from being told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from collector.live.rooms import RoomView
from edge.common.worker import QueueWorker, first_line
from edge.protocol.messages import Mood, Status

log = logging.getLogger(__name__)

MOST = 20_000
"""Some ten seconds of the load that one collector bears."""


class Announcement(NamedTuple):
    """A window that was stored, or a status, and the room as it then was; without a message, that
    what was known of it was erased."""

    message: Mood | Status | None
    view: RoomView


class Announcements(QueueWorker[Announcement]):
    """What is `put` is told to all, by name, in order: windows, statuses, and rooms at both."""

    def __init__(
        self,
        of_rooms: Mapping[str, Callable[[RoomView], None]],
        of_moods: Mapping[str, Callable[[Mood], None]],
        of_statuses: Mapping[str, Callable[[Status], None]],
        of_erasures: Mapping[str, Callable[[RoomView], None]],
    ) -> None:
        super().__init__("announcements", MOST)
        self._of_erasures = dict(of_erasures)
        self._of_rooms = dict(of_rooms)
        self._of_moods, self._of_statuses = dict(of_moods), dict(of_statuses)
        self._failing: dict[str, str] = {}

    def handle(self, item: Announcement) -> None:
        """Tells everybody; who cannot be told is not told later: by then there is other news."""
        message, view = item
        if message is None:
            for name, forget in self._of_erasures.items():
                self._try(name, partial(forget, view))
            return
        for name, show in self._of_rooms.items():
            self._try(name, partial(show, view))
        if isinstance(message, Mood):
            for name, tell in self._of_moods.items():
                self._try(name, partial(tell, message))
        else:
            for name, hear in self._of_statuses.items():
                self._try(name, partial(hear, message))

    def problem(self) -> str:
        """Of one who could not be told the last time, too."""
        failing = (f"{name}: {why}" for name, why in dict(self._failing).items())
        return super().problem() or "; ".join(failing)

    def _try(self, name: str, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # the others are to be told all the same
            if name not in self._failing:
                log.exception("%s cannot be told", name)
            self._failing[name] = first_line(error)
            return
        if self._failing.pop(name, ""):
            log.info("%s: told again", name)
