"""Sends windows from the outbox until the collector acknowledges them, and tells how we do.

QoS 1 is not durability: the broker's PUBACK does not mean stored. A window leaves the outbox only
when the collector says that it has committed it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any
from uuid import UUID

from edge.broker import BrokerSettings, Trouble, client, connect
from edge.mood import Ack, Command, Health, MessageError, State, Status, decode, topic
from edge.outbox import Outbox

log = logging.getLogger(__name__)

AT_ONCE = 64
"""Unacknowledged windows on their way at a time."""

RESEND_S = 10.0
STATUS_EVERY_S = 30.0


class Publisher:
    """One MQTT connection with its thread; `start`, then `wake` after every new window."""

    def __init__(
        self,
        settings: BrokerSettings,
        outbox: Outbox,
        *,
        site: str,
        room: str,
        device: str,
        boot: UUID,
        health: Callable[[], Health],
        on_command: Callable[[Command], None],
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._site, self._room, self._device, self._boot = site, room, device, boot
        self._health = health
        self._on_command = on_command
        self._state: State = "online"
        self._sent: dict[tuple[UUID, int], float] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._trouble = Trouble(log)
        self._thread = threading.Thread(target=self._run, name="publish", daemon=True)
        self._client = client(settings, f"roommood-agent-{site}-{device}")
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._received
        self._client.will_set(
            self._topic("status"), self._status("offline").encode(), qos=1, retain=True
        )

    def start(self) -> None:
        connect(self._client, self._settings)
        self._thread.start()

    def wake(self) -> None:
        """There is a new window in the outbox."""
        self._wake.set()

    def say(self, state: State) -> None:
        """Tells everyone at once that the agent works or is paused."""
        self._state = state
        self._publish_status(state)

    def stop(self, timeout: float) -> None:
        """Waits up to `timeout` seconds for acknowledgements, says offline, disconnects."""
        end = time.monotonic() + timeout
        self._wake.set()
        while self._client.is_connected() and len(self._outbox) and time.monotonic() < end:
            time.sleep(0.02)
        self._stopping.set()
        self._wake.set()
        if self._client.is_connected():
            farewell = self._publish_status("offline")
            farewell.wait_for_publish(max(0.1, end - time.monotonic()))
        self._client.disconnect()
        self._client.loop_stop()
        if self._thread.is_alive():
            self._thread.join(1)

    def _run(self) -> None:
        status_due = time.monotonic() + STATUS_EVERY_S
        while not self._stopping.is_set():
            self._wake.wait(1.0)
            self._wake.clear()
            if not self._client.is_connected() or self._stopping.is_set():
                continue
            self._send_waiting()
            if time.monotonic() >= status_due:
                status_due = time.monotonic() + STATUS_EVERY_S
                self._publish_status(self._state)

    def _send_waiting(self) -> None:
        """The oldest windows, and before them the newest: nobody waits for it behind a backlog."""
        now = time.monotonic()
        waiting = self._outbox.waiting(AT_ONCE)
        newest = self._outbox.newest()
        if newest is not None and newest not in waiting:
            waiting.insert(0, newest)
        for mood in waiting:
            with self._lock:
                key = (mood.boot, mood.seq)
                if now - self._sent.get(key, -RESEND_S) < RESEND_S:
                    continue
                self._sent[key] = now
            # Only the newest window is retained: a late reader must not find an old one.
            self._client.publish(self._topic("mood"), mood.encode(), qos=1, retain=mood == newest)

    def _connected(self, _c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        if reason.is_failure:
            self._trouble.refused(reason)
            return
        log.info("broker: connected to %s:%d", self._settings.host, self._settings.port)
        self._trouble.over()
        self._client.subscribe([(self._topic("ack"), 1), (self._topic("command"), 1)])
        self._publish_status(self._state)
        with self._lock:
            self._sent.clear()
        self._wake.set()

    def _disconnected(self, _c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        if not self._stopping.is_set():
            self._trouble.lost(reason, "windows wait in the outbox")

    def _received(self, _c: Any, _u: Any, message: Any) -> None:
        try:
            if message.topic == self._topic("ack"):
                ack = decode(Ack, message.payload)
                self._outbox.remove(ack.boot, ack.seq, ack.windows)
                self._forget_sent(ack.boot, ack.seq)
                self._wake.set()
            else:
                self._on_command(decode(Command, message.payload))
        except MessageError as error:
            log.warning("%s: refused: %s", message.topic, error)

    def _forget_sent(self, boot: UUID, seq: int) -> None:
        """Windows sent before one that was acknowledged got lost, since MQTT keeps the order.

        It happens when the agent is back at a restarted broker before the collector is: they are
        sent again at once instead of after RESEND_S.
        """
        with self._lock:
            acknowledged = self._sent.pop((boot, seq), 0.0)
            self._sent = {key: at for key, at in self._sent.items() if at >= acknowledged}

    def _publish_status(self, state: State) -> Any:
        payload = self._status(state).encode()
        return self._client.publish(self._topic("status"), payload, qos=1, retain=True)

    def _status(self, state: State) -> Status:
        return Status(
            schema="roommood.status/1",
            site=self._site,
            room=self._room,
            device=self._device,
            boot=self._boot,
            state=state,
            at=datetime.now(timezone.utc),
            health=None if state == "offline" else self._health(),
        )

    def _topic(self, leaf: Any) -> str:
        return topic(self._site, self._room, leaf)
