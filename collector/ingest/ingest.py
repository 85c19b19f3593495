"""Takes messages from the broker: checks, commits, then acknowledges.

A window is acknowledged only after its commit. Everything else that arrives is refused, counted,
and never stored.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter
from sqlalchemy.exc import SQLAlchemyError

from collector.live.rooms import Rooms
from collector.storage.store import LONGEST_WINDOW, Store
from edge.common.broker import BrokerSettings
from edge.common.link import Link
from edge.protocol.messages import Ack, MessageError, Mood, Status, address, decode, topic

log = logging.getLogger(__name__)

BATCH = 500
"""Windows committed together at most; under load a commit is shared, at rest it is not awaited."""

BUSY, GATHERS_S = 4, 0.02
"""After a commit of so many the next one waits so long for company: a commit costs more than a
window, and nobody sees twenty milliseconds."""

RETRY_S = 2.0
"""After a commit that failed; what comes meanwhile and finds no place is not acknowledged."""

SHORTEST_S = 0.1
"""A window takes a frame at least; the average of those that were merged is no shorter."""

KINDS = ("mood", "status")


class Ingest:
    """One MQTT connection and one writer thread."""

    def __init__(
        self,
        settings: BrokerSettings,
        name: str,
        store: Store,
        rooms: Rooms,
        registry: CollectorRegistry,
        on_stored: Callable[[Mood], None] = lambda _mood: None,
        on_heard: Callable[[Status], None] = lambda _status: None,
    ) -> None:
        self._store = store
        self._rooms = rooms
        self._on_stored, self._on_heard = on_stored, on_heard
        self._waiting: queue.Queue[Mood | None] = queue.Queue(maxsize=4 * BATCH)
        self._writer = threading.Thread(target=self._write, name="writer", daemon=True)
        self._messages = Counter(
            "roommood_messages", "Messages received.", ["kind", "result"], registry=registry
        )
        self._stopping = threading.Event()
        self.storing = True
        """Whether the last commit went well."""
        self._link = Link(
            settings,
            f"roommood-{name}",
            log,
            topics=(topic("+", "+", "mood"), topic("+", "+", "status")),
            on_up=lambda: None,
            on_message=self._received,
            meanwhile="trying again",
        )

    @property
    def connected(self) -> bool:
        return self._link.connected

    def publish(self, name: str, payload: bytes) -> None:
        """For commands: not retained, since what was meant for now must not come later."""
        self._link.publish(name, payload)

    def publish_retained(self, name: str, payload: bytes) -> None:
        self._link.publish(name, payload, retain=True)

    def start(self) -> None:
        self._writer.start()
        self._link.start()

    def stop(self) -> None:
        """Writes what was received, then leaves the broker."""
        self._stopping.set()
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=1)
        self._writer.join(5)
        self._link.stop()

    def _received(self, name: str, payload: bytes) -> None:
        kind = name.rpartition("/")[2]
        if self._stopping.is_set():
            return
        try:
            if kind == "mood":
                self._take(self._checked(Mood, name, payload))
            else:
                status: Status = self._checked(Status, name, payload)
                self._rooms.heard(status)
                self._on_heard(status)
                self._messages.labels("status", "accepted").inc()
        except MessageError as error:
            self._messages.labels(kind if kind in KINDS else "other", "refused").inc()
            log.warning("%s: refused: %s", name, error)

    def _take(self, mood: Mood) -> None:
        """To the writer; what it cannot take now is not acknowledged, and so comes again.

        Waiting here instead would keep the connection from answering, and the broker would end it.
        """
        try:
            self._waiting.put_nowait(mood)
        except queue.Full:
            self._messages.labels("mood", "deferred").inc()

    @staticmethod
    def _checked(kind: Any, name: str, payload: bytes) -> Any:
        """The message, which must speak of the room on whose topic it came."""
        content = decode(kind, payload)
        where = address(name)
        if where is None or where[:2] != (content.site, content.room):
            raise MessageError("site or room: not those of the topic")
        if isinstance(content, Mood) and content.windows > 1:
            check_merged(content)
        return content

    def _write(self) -> None:
        batch: list[Mood] = []
        while True:
            if len(batch) >= BUSY:
                self._stopping.wait(GATHERS_S)
            batch = []
            item = self._waiting.get()
            while item is not None:
                batch.append(item)
                if len(batch) >= BATCH or self._waiting.empty():
                    break
                item = self._waiting.get()
            if batch:
                self._commit(batch)
            if item is None:
                return

    def _commit(self, batch: list[Mood]) -> None:
        try:
            new = self._store.add(batch)
        except SQLAlchemyError as error:
            # Nothing is acknowledged, so the agents keep these windows and send them again.
            self._messages.labels("mood", "failed").inc(len(batch))
            if self.storing:
                log.error("database: %s; windows stay with their agents", _first_line(error))
            self.storing = False
            self._stopping.wait(RETRY_S)
            return
        if not self.storing:
            log.info("database: it takes windows again")
        self.storing = True
        for mood in batch:
            ack = Ack(boot=mood.boot, seq=mood.seq, windows=mood.windows).encode()
            self._link.publish(topic(mood.site, mood.room, "ack"), ack)
        now = time.time()
        for mood in new:
            self._rooms.saw(mood, now)
            self._on_stored(mood)
        self._messages.labels("mood", "stored").inc(len(new))
        self._messages.labels("mood", "repeated").inc(len(batch) - len(new))


def check_merged(mood: Mood) -> None:
    """Refuses what no device's outbox can have put together, see edge/outbox/merge.py."""
    if mood.windows > mood.seq + 1:
        raise MessageError("windows: more than the run has had")
    if mood.seconds > LONGEST_WINDOW.total_seconds():
        raise MessageError("seconds: longer than windows are merged")
    if mood.windows * SHORTEST_S > mood.seconds:
        raise MessageError("windows: more than fit into its seconds")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
