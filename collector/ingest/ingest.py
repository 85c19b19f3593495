"""Takes messages from the broker: checks, commits, then acknowledges.

A window is acknowledged only after its commit. Everything else that arrives is refused, counted,
and never stored.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge

from collector.ingest.bounds import Bounds, check_time, is_expired
from collector.ingest.rejections import Rejections
from collector.ingest.writer import Writer
from collector.ingest.wrong_clocks import WrongClocks
from collector.live.own_clock import OwnClock
from collector.live.rooms import Rooms
from collector.storage.erasures import Erasures
from collector.storage.store import LONGEST_WINDOW, Store
from edge.common.broker import BrokerSettings
from edge.common.link import Guest, MqttLink
from edge.protocol.messages import Ack, MessageError, Mood, Status, address, decode, topic

log = logging.getLogger(__name__)

SHORTEST_S = 0.1
"""A window takes a frame at least; the average of those that were merged is no shorter."""

KINDS = ("mood", "status")


class Ingest:
    """One MQTT connection and one writer, two workers that begin and end apart.

    `announce` is given each new window once it is stored, and each status.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        name: str,
        store: Store,
        rooms: Rooms,
        registry: CollectorRegistry,
        announce: Callable[[Mood | Status], None] = lambda _message: None,
        erasures: Erasures | None = None,
        windows_days: Callable[[str], int] = lambda _site: 3650,
        guest: Guest | None = None,
        clock: OwnClock | None = None,
    ) -> None:
        self._guest = guest or Guest()
        self._erasures, self._windows_days = erasures, windows_days
        self._bounds, self._rejections = Bounds(), Rejections(log)
        self._rooms = rooms
        self._clock = clock or OwnClock()
        covers = erasures.covers if erasures is not None else lambda _mood: False
        self._wrong_clocks = WrongClocks(rooms, covers)
        self._announce = announce
        self._messages = Counter(
            "roommood_messages", "Messages received.", ["kind", "result"], registry=registry
        )
        Gauge(
            "roommood_collector_broker_connected",
            "1 while the collector reaches the broker.",
            registry=registry,
        ).set_function(lambda: self.is_connected)
        among = erasures.among if erasures is not None else lambda _moods: []
        self.writer = Writer(store, rooms, self._messages, self._acknowledge, announce, among)
        self.link = MqttLink(
            settings,
            f"roommood-{name}",
            log,
            topics=(topic("+", "+", "mood"), topic("+", "+", "status"), *self._guest.topics),
            on_up=self._guest.on_up,
            on_message=partial(self.receive, is_new=True),
            on_kept=self.receive,
            meanwhile="trying again",
            will=self._guest.will,
        )

    @property
    def is_connected(self) -> bool:
        return self.link.is_connected

    @property
    def storing(self) -> bool:
        """Whether the last commit went well."""
        return self.writer.storing

    def publish(self, name: str, payload: bytes) -> None:
        """For commands: not retained, since what was meant for now must not come later."""
        self.link.publish(name, payload)

    def publish_lasting(self, name: str, payload: bytes) -> None:
        self.link.publish(name, payload, retain=True)

    def _acknowledge(self, mood: Mood, ack: Ack) -> None:
        self.link.publish(topic(mood.site, mood.room, "ack"), ack.encode())

    def forget(self, site: str, room: str, *, status: bool = True) -> None:
        """Takes back what the broker keeps of a room for those who come later."""
        self.publish_lasting(topic(site, room, "mood"), b"")
        if status:
            self.publish_lasting(topic(site, room, "status"), b"")

    def receive(self, name: str, payload: bytes, *, is_new: bool = False) -> None:
        """A message that came, with its topic; what is not valid is counted and goes no further.

        One that is new, and not kept by the broker, tells what time it is where it comes from.
        """
        if self._guest.topics and not name.startswith("roommood/v1/"):
            self._guest.on_message(name, payload)
            return
        if not payload:
            return  # what the broker kept was taken back
        kind = name.rpartition("/")[2]
        if not self._bounds.take(name):
            self._messages.labels(kind if kind in KINDS else "other", "deferred").inc()
            return
        try:
            if kind == "mood":
                self._take(self._parse(Mood, name, payload, is_new=is_new), is_new)
            else:
                status: Status = self._parse(Status, name, payload, is_new=is_new)
                self._rooms.update_status(status)
                self._announce(status)
                self._messages.labels("status", "accepted").inc()
        except MessageError as error:
            self._messages.labels(kind if kind in KINDS else "other", "refused").inc()
            self._rejections.add(name, error)

    def _take(self, mood: Mood, is_new: bool) -> None:
        """To the writer; what it cannot take now is not acknowledged, and so comes again.

        Waiting here instead would keep the connection from answering, and the broker would end it.
        """
        outcome = self._drop_reason(mood)
        if outcome:
            if outcome == "erased" and is_new:
                self._wrong_clocks.look(mood)
            self._messages.labels("mood", outcome).inc()
            self._acknowledge(mood, Ack(boot=mood.boot, seq=mood.seq, windows=mood.windows))
            self.publish_lasting(topic(mood.site, mood.room, "mood"), b"")
            return
        if not self.writer.put(mood):
            self._messages.labels("mood", "deferred").inc()

    def _drop_reason(self, mood: Mood) -> str:
        """Why a window is not stored, though it is nobody's fault; or nothing.

        From memory: this is the network's thread. The writer asks the database.
        """
        if self._erasures is not None and self._erasures.covers(mood):
            return "erased"
        if self._wrong_clocks.covers(mood):
            return "erased"
        is_old = is_expired(mood, self._windows_days(mood.site))
        # By a clock that may be wrong nothing is thrown away: it is stored, and deleted later.
        return "expired" if is_old and self._clock.is_sure() else ""

    def _hear(self, message: Mood | Status) -> None:
        """What time it is there."""
        room = (message.site, message.room)
        if isinstance(message, Mood):
            end, is_set = message.start.timestamp() + message.seconds, message.clock == "synced"
            self._clock.hear(room, end, is_least=True, is_set=is_set)
        elif message.state != "offline":  # which may be the broker's word, and is of the start
            mood = self._rooms.view(*room).mood
            is_set = mood is None or mood.clock == "synced"
            at = message.at.timestamp()
            self._clock.hear(room, at, is_set=is_set)
            self._rooms.note_clock(*room, at - time.time())

    def _parse(self, kind: Any, name: str, payload: bytes, *, is_new: bool) -> Any:
        """The message, which must speak of the room on whose topic it came."""
        content = decode(kind, payload)
        where = address(name)
        if where is None or where[:2] != (content.site, content.room):
            raise MessageError("site or room: not those of the topic")
        if is_new:
            self._hear(content)
        if isinstance(content, Mood):
            check_time(content)
            if content.windows > 1:
                check_merge(content)
        return content


def check_merge(mood: Mood) -> None:
    """Refuses what no device's outbox can have put together, see edge/outbox/merge.py."""
    if mood.windows > mood.seq + 1:
        raise MessageError("windows: more than the run has had")
    if mood.seconds > LONGEST_WINDOW.total_seconds():
        raise MessageError("seconds: longer than windows are merged")
    if mood.windows * SHORTEST_S > mood.seconds:
        raise MessageError("windows: more than fit into its seconds")
