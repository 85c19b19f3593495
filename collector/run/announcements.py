"""Tells everybody else what the rooms sent: pages, lessons, webhooks, Home Assistant, the fleet.

Between those who store and those who are told there is this queue. One that fails is said, and
keeps neither windows from being stored nor others from being told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge.common.worker import QueueWorker
from edge.protocol.messages import Mood, Status

MOST = 20_000
"""Some ten seconds of the load that one collector bears."""


class Announcements(QueueWorker[Mood | Status]):
    """`put` a window once it is stored, or a status; each is told to all, by name, in order."""

    def __init__(
        self,
        of_moods: Mapping[str, Callable[[Mood], None]],
        of_statuses: Mapping[str, Callable[[Status], None]],
    ) -> None:
        super().__init__("announcements", MOST)
        self._of_moods, self._of_statuses = dict(of_moods), dict(of_statuses)

    def handle(self, item: Mood | Status) -> None:
        if isinstance(item, Mood):
            for name, tell in self._of_moods.items():
                with self.attempt(name):
                    tell(item)
        else:
            for name, hear in self._of_statuses.items():
                with self.attempt(name):
                    hear(item)
