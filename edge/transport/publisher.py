"""Sends windows from the outbox until the collector acknowledges them, and tells how we do.

QoS 1 is not durability: the broker's PUBACK does not mean stored. A window leaves the outbox only
when the collector says that it has committed it.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from edge.common.broker import BrokerSettings
from edge.common.clock import WallClock
from edge.common.link import MqttLink, Will
from edge.common.worker import Worker
from edge.outbox.store import Outbox
from edge.protocol.erasure import Span
from edge.protocol.messages import (
    Ack,
    Command,
    Health,
    MessageError,
    Mood,
    State,
    Status,
    address,
    decode,
    topic,
)

log = logging.getLogger(__name__)

WindowKey: TypeAlias = tuple[UUID, int]

OTHERS_AT_ONCE = 8
"""Of them from rooms where the device was before: a broker may refuse these."""

AT_ONCE = 64
"""Unacknowledged windows on their way at a time: a collector that cannot store gets no more."""

RESEND_S, LONGEST_RESEND_S = 10.0, 300.0
"""A window is sent again after so long, twice as long each time while none is acknowledged."""

OVERTAKES, OVERTAKE_S, MOST_REFUSALS = 3, 60.0, 448
"""A window is taken for refused when for so long, and at least so often, others that were sent
after it were acknowledged: it waits for LONGEST_RESEND_S then, and the others do not wait behind
it, or behind so many of its kind."""

REFUSALS = "%d windows wait that the collector does not take: its log says why"

WRONG_CLOCK = timedelta(days=2)
"""A window that is to come so much later was counted by a clock that was wrong."""

OTHERS_WAIT = (
    "windows of %s wait: this device is %s now, and the broker lets its certificate speak of no "
    "other room; enrol it as %s again to send them"
)

EVERY_S = 1.0
STATUS_EVERY_S = 30.0


class Publisher(Worker):
    """One MQTT connection with its worker; `start`, then `wake` after every new window."""

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
        clock: WallClock,
    ) -> None:
        super().__init__("publish", EVERY_S, ends_in_s=1.0, longest_wait_s=EVERY_S)
        self._outbox = outbox
        self._site, self._room, self._device, self._boot = site, room, device, boot
        self._health = health
        self._on_command = on_command
        self._clock = clock
        self._state: State = "online"
        self._send_times: dict[WindowKey, float] = {}
        self._overtakes: dict[WindowKey, list[float]] = {}
        self._refusals: dict[WindowKey, float] = {}
        self._erasures: set[tuple[tuple[str, str], Span]] = set()
        self._resend_s = RESEND_S
        self._last_ack: float | None = None
        self._lock = threading.Lock()
        self._own = f"{site}/{room}"
        self._others = sorted(outbox.rooms() - {self._own})
        self._earlier = sorted(outbox.every_room() - {self._own})
        # A certificate names its room, and the broker lets it speak of no other.
        self._may_speak_of_others = settings.certificate is None
        self._other_rooms = ""
        self._status_due = time.monotonic() + STATUS_EVERY_S
        self.link = MqttLink(
            settings,
            f"roommood-agent-{site}-{device}",
            log,
            topics=(self._topic("ack"), self._topic("command"), *self._topics_of_others()),
            on_up=self._on_connect,
            on_message=self.receive,
            meanwhile="windows wait in the outbox",
            will=Will(self._topic("status"), self._status("offline").encode()),
            clock=clock,
        )

    def start(self) -> None:
        self.link.start()
        super().start()

    def say(self, state: State) -> None:
        """Tells everyone at once that the agent works or is paused."""
        self._state = state
        self._publish_status(state)

    def last_ack_s(self) -> int | None:
        """Seconds since the collector last acknowledged a window, in this run."""
        at = self._last_ack
        return None if at is None else int(time.monotonic() - at)

    def stop(self, timeout: float = 1.0) -> bool:
        """Waits up to `timeout` seconds for acknowledgements, says offline, disconnects."""
        end = time.monotonic() + timeout
        self.wake()
        while self.link.is_connected and len(self._outbox) and time.monotonic() < end:
            time.sleep(0.02)
        has_ended = super().stop()
        if self.link.is_connected:
            farewell = self._publish_status("offline")
            with contextlib.suppress(RuntimeError):  # the connection went this moment
                farewell.wait_for_publish(max(0.1, end - time.monotonic()))
        return self.link.stop() and has_ended

    def fatal_problem(self) -> str:
        """Its own thread, or the connection's."""
        return super().fatal_problem() or self.link.fatal_problem()

    def problem(self) -> str:
        refusals = REFUSALS % len(self._refusals) if self._refusals else ""
        return super().problem() or self.link.problem() or self._other_rooms or refusals

    def run_once(self) -> None:
        """Sends what waits, and now and then how we do."""
        if not self.link.is_connected:
            return
        self._send_pending()
        if time.monotonic() >= self._status_due:
            self._status_due = time.monotonic() + STATUS_EVERY_S
            self._publish_status(self._state)

    def _send_pending(self) -> None:
        """The oldest windows, and before them the newest: nobody waits for it behind a backlog."""
        now = time.monotonic()
        moods = self._next(now)
        newest = self._outbox.newest()
        if newest is not None and self._is_own(newest) and newest not in moods:
            moods = [*self._without_refusals([newest], now), *moods]
        moods += self._of_others()
        again = False
        for mood in moods:
            with self._lock:
                key = (mood.boot, mood.seq)
                before = self._send_times.get(key)
                if before is not None and now - before < self._resend_s:
                    continue
                again = again or before is not None
                self._send_times[key] = now
                if key in self._refusals:
                    self._refusals[key] = now
            # Only the newest window is retained: a late reader must not find an old one.
            retain = mood == newest and self._is_own(mood)
            payload = self._with_doubt(mood).encode()
            self.link.publish(topic(mood.site, mood.room, "mood"), payload, retain=retain)
        if again:
            with self._lock:
                self._resend_s = min(2 * self._resend_s, LONGEST_RESEND_S)

    def _next(self, now: float) -> list[Mood]:
        """The oldest of its own room."""
        limit = AT_ONCE + min(len(self._refusals), MOST_REFUSALS)
        moods = self._outbox.pending(limit, self._own)
        if len(moods) < limit:  # that is all: what was merged or erased since is forgotten
            keys = {(one.boot, one.seq) for one in moods}
            with self._lock:
                self._overtakes = {k: one for k, one in self._overtakes.items() if k in keys}
                self._refusals = {k: at for k, at in self._refusals.items() if k in keys}
        return self._without_refusals(moods, now)[:AT_ONCE]

    def _without_refusals(self, moods: list[Mood], now: float) -> list[Mood]:
        """Those that were not refused lately."""
        with self._lock:
            late = {key for key, at in self._refusals.items() if now - at < LONGEST_RESEND_S}
        return [one for one in moods if (one.boot, one.seq) not in late]

    def _with_doubt(self, mood: Mood) -> Mood:
        """As it was counted; where it lies in the future by a clock that is right by now, it says
        that its own was not: the collector takes no window of next year that claims to be sure."""
        now = self._clock.now()
        if mood.clock == now.clock == "synced" and mood.start > now.at + WRONG_CLOCK:
            return mood.model_copy(update={"clock": "unsynced"})
        return mood

    def _of_others(self) -> list[Mood]:
        """Windows of rooms where the device was before, on those rooms' own topics: what was
        counted there is of there. Where the broker would refuse them they wait, which is said."""
        if not self._others:
            return []
        moods = self._outbox.pending(OTHERS_AT_ONCE, self._own, other=True)
        if not moods:
            self._others, self._other_rooms = [], ""
        elif not self._may_speak_of_others:
            name = f"{moods[0].site}/{moods[0].room}"
            if not self._other_rooms:
                log.warning(OTHERS_WAIT, name, self._own, name)
            self._other_rooms = f"windows of {name} wait: this device is {self._own} now"
            return []
        return moods

    def _topics_of_others(self) -> Iterator[str]:
        """Where the device was before: acknowledgements, and what was erased there since."""
        if self._may_speak_of_others:
            for name in self._earlier:
                site, _, room = name.partition("/")
                yield topic(site, room, "ack")
                yield topic(site, room, "command")

    def _is_own(self, mood: Mood) -> bool:
        return (mood.site, mood.room) == (self._site, self._room)

    def _on_connect(self) -> None:
        try:
            self._publish_status(self._state)
        finally:  # a status that cannot be made must not hold back windows
            with self._lock:
                self._send_times.clear()
                self._overtakes.clear()
                self._refusals.clear()
            self.wake()

    def receive(self, name: str, payload: bytes) -> None:
        try:
            if name.endswith("/ack"):
                ack = decode(Ack, payload)
                self._outbox.remove(ack.boot, ack.seq, ack.windows)
                self._forget_sends(ack.boot, ack.seq)
                self.wake()
            elif name == topic(self._site, self._room, "command"):
                self._obey(decode(Command, payload))
            elif (place := address(name)) is not None and "/".join(place[:2]) in self._earlier:
                command = decode(Command, payload)
                if command.spans is not None:  # all else is for the device that is there now
                    self._erase(place[:2], _seconds(command.spans))
            # Some brokers send a new client what others subscribed to: that is nobody's order.
        except MessageError as error:
            log.warning("%s: rejected: %s", name, error)

    def _obey(self, command: Command) -> None:
        if command.spans is not None:
            self._erase((self._site, self._room), _seconds(command.spans))
            return
        if command.since is None:
            self._on_command(command)
            return
        again = self._outbox.resend(command.since)
        log.info("the collector asks for windows again: %d wait", again)
        self.wake()

    def _erase(self, place: tuple[str, str], spans: list[Span]) -> None:
        """What was erased in the collector; it says so again now and then."""
        if all((place, span) in self._erasures for span in spans):
            return
        try:
            count = self._outbox.erase(*place, spans)
        except OSError as error:
            log.error("what was erased is still here: %s; it is tried again in an hour", error)
            return
        self._erasures.update((place, span) for span in spans)
        if count:
            log.info("the collector has erased windows: %d are gone here too", count)

    def _forget_sends(self, boot: UUID, seq: int) -> None:
        """Windows sent before one that was acknowledged got lost, since MQTT keeps the order.

        It happens when the agent is back at a restarted broker before the collector is: they are
        sent again at once instead of after RESEND_S.
        """
        with self._lock:
            key = (boot, seq)
            cutoff = self._send_times.pop(key, 0.0)
            self._overtakes.pop(key, None)
            self._refusals.pop(key, None)
            now = time.monotonic()
            for one in [one for one, at in self._send_times.items() if at < cutoff]:
                times = self._overtakes.setdefault(one, [])
                times[OVERTAKES - 1 :] = [now]
                if len(times) >= OVERTAKES and now - times[0] >= OVERTAKE_S:
                    self._refusals.setdefault(one, now)
                del self._send_times[one]
            self._resend_s, self._last_ack = RESEND_S, time.monotonic()

    def _publish_status(self, state: State) -> Any:
        return self.link.publish(self._topic("status"), self._status(state).encode(), retain=True)

    def _status(self, state: State) -> Status:
        return Status(
            schema="roommood.status/1",
            site=self._site,
            room=self._room,
            device=self._device,
            boot=self._boot,
            state=state,
            at=self._clock.now().at,
            health=None if state == "offline" else self._health(),
        )

    def _topic(self, leaf: Any) -> str:
        return topic(self._site, self._room, leaf)


def _seconds(spans: Iterable[tuple[datetime, datetime]]) -> list[Span]:
    return [(begin.timestamp(), end.timestamp()) for begin, end in spans]
