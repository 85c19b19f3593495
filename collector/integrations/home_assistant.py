"""Rooms that appear in a Home Assistant on the same broker by themselves, if the school wants it.

Retained discovery messages for each room, and one retained message with the room's figures: what
the collector shows, no more. All of it is told again when Home Assistant or the broker comes back.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import TypeAdapter

from collector.config import HomeAssistant
from collector.integrations.home_discovery import (
    HomeRoom,
    availability_topic,
    discovery,
    encode,
    state_topic,
)
from collector.live.rooms import Key, Rooms, RoomView
from edge.common.link import Will
from edge.protocol.messages import Mood, Name

ROOM = TypeAdapter(tuple[Name, Name])

Publish = Callable[[str, bytes], None]

AT_ONCE = 25
"""Rooms told in a row when all are told again: more would hold up windows' acknowledgements."""

SETTLES_S = 60.0
"""After a connection the rooms that are there have been heard of; others' entities may go."""


class HomeAssistantRooms:
    """`notify`, `forget` and `look` belong to one thread; `up` and `receive` come from the link's.

    `collector` is the name that tells collectors apart.
    """

    def __init__(
        self,
        settings: HomeAssistant,
        collector: str,
        publish: Publish,
        rooms: Rooms,
        describe: Callable[[RoomView], HomeRoom],
    ) -> None:
        self._prefix = settings.prefix
        self._state_only = settings.entities == "state"
        self._collector = collector
        self._publish, self._rooms, self._describe = publish, rooms, describe
        self._announcements: dict[Key, tuple[HomeRoom, tuple[str, ...]]] = {}
        self._last_payloads: dict[Key, bytes] = {}
        self._queue: deque[Key] = deque()
        self._again = threading.Event()
        self._settles: float | None = None
        self._lock = threading.Lock()
        self._retained_topics: dict[Key, set[str]] = defaultdict(set)
        """Topics of our entities that the broker keeps, of earlier starts too."""

    @property
    def birth_topics(self) -> tuple[str, ...]:
        """Where Home Assistant says that it is there: on its own prefix by default, not on ours."""
        return tuple(dict.fromkeys((f"{self._prefix}/status", "homeassistant/status")))

    @property
    def topics(self) -> tuple[str, ...]:
        """What is to be subscribed to: Home Assistant's own state, and what the broker keeps."""
        return (*self.birth_topics, f"{self._prefix}/sensor/+/config")

    @property
    def will(self) -> Will:
        return Will(availability_topic(self._collector), b"offline")

    def up(self) -> None:
        """The broker is there, again or for the first time, and may have forgotten everything."""
        self._publish(availability_topic(self._collector), b"online")
        self._settles = time.monotonic() + SETTLES_S
        self._again.set()

    def down(self) -> None:
        """The collector ends in good order."""
        self._publish(*self.will)

    def receive(self, topic: str, payload: bytes) -> None:
        """A message on one of `topics`."""
        if topic in self.birth_topics:
            if payload == b"online":
                self._again.set()
            return
        key = self._whose(payload)
        with self._lock:
            if key is not None:
                self._retained_topics[key].add(topic)
            elif not payload:
                for topics in self._retained_topics.values():
                    topics.discard(topic)

    def _whose(self, payload: bytes) -> Key | None:
        """The room of an entity of this collector's, or of one before they said whose they are."""
        try:
            part = json.loads(payload)
            if part["origin"]["name"] != "roommood":
                return None
            mine = availability_topic(self._collector)
            if part.get("availability_topic", mine) != mine:
                return None
            site, room = str(part["state_topic"]).removeprefix("roommood/home/").split("/")
            ROOM.validate_python((site, room))  # anybody may write what no topic can be made of
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None  # somebody else's, which may have brackets 5,000 deep
        return site, room

    def look(self) -> bool:
        """Tells what changed by itself, as a silence does; returns whether there is more to do."""
        if self._again.is_set():
            self._again.clear()
            self._announcements.clear()
            self._last_payloads.clear()
            self._queue.clear()
        if not self._queue:
            self._queue.extend((view.site, view.room) for view in self._rooms.all())
        new = 0
        while self._queue and new < AT_ONCE:
            new += self.notify(self._rooms.view(*self._queue.popleft()))
        if self._queue:
            return True
        if self._settles is not None and time.monotonic() >= self._settles:
            self._settles = None
            self._tidy()
        return False

    def notify(self, view: RoomView) -> bool:
        """What is new of a room; returns whether the room itself was announced."""
        key = (view.site, view.room)
        labels = tuple(view.mood.counts or ()) if view.mood else ()
        home_room = self._describe(view)
        old_labels, before = self._announcements.get(key, (None, ()))
        is_new = old_labels != home_room or bool(set(labels) - set(before))
        if is_new:
            every = tuple(dict.fromkeys((*before, *labels)))
            for part in self._parts(home_room, every):
                self._publish(self._topic(part), encode(part))
            self._announcements[key] = home_room, every
        state = json.dumps(figures(view, state_only=self._state_only)).encode()
        if self._last_payloads.get(key) != state:
            self._publish(state_topic(*key), state)
            self._last_payloads[key] = state
        return is_new

    def forget(self, view: RoomView) -> None:
        """What was known of a room is erased; what is known now, if anything, is told anew."""
        key = (view.site, view.room)
        self._publish(state_topic(*key), b"")
        self._last_payloads.pop(key, None)
        if view.mood is not None or view.status is not None:
            self.notify(view)
            return
        old_topics = {
            self._topic(part) for part in self._parts(*self._announcements.pop(key, (None, ())))
        }
        with self._lock:
            old_topics |= self._retained_topics.pop(key, set())
        self._remove(old_topics)

    def _tidy(self) -> None:
        """Takes back entities of rooms that are no more, and of a time with more of them."""
        rooms = {(view.site, view.room) for view in self._rooms.all()}
        with self._lock:
            topics_of = {key: set(topics) for key, topics in self._retained_topics.items()}
        for key, topics in topics_of.items():
            if key not in rooms:
                self._publish(state_topic(*key), b"")
                self._remove(topics)
            elif self._state_only and key in self._announcements:
                new_topics = {self._topic(part) for part in self._parts(*self._announcements[key])}
                self._remove(topics - new_topics)

    def _remove(self, topics: Iterable[str]) -> None:
        for topic in topics:
            self._publish(topic, b"")

    def _parts(self, room: HomeRoom | None, labels: tuple[str, ...]) -> list[dict[str, Any]]:
        if room is None:
            return []
        return discovery(room, labels, self._collector, state_only=self._state_only)

    def _topic(self, part: dict[str, Any]) -> str:
        return f"{self._prefix}/sensor/{part['unique_id']}/config"


def figures(view: RoomView, *, state_only: bool = False) -> dict[str, Any]:
    """What is told of a room: null where it is not known."""
    if state_only:
        return {"state": view.state}
    mood: Mood | None = view.mood if view.state == "live" else None
    counts = mood.counts or {} if mood else {}
    return {"state": view.state, "faces": mood.faces if mood else None, "counts": counts}
