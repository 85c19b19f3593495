"""What is known of every room now, and the feed that tells viewers when it changes."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Literal, NamedTuple

from collector.live.history import History, WindowSummary, readable
from collector.live.order import begin_of, is_newer
from collector.live.viewer_messages import as_json
from collector.storage.store import StoredSummary
from edge.protocol.discretion import discreet
from edge.protocol.messages import Mood, Status

log = logging.getLogger(__name__)

RoomState = Literal["live", "withheld", "paused", "offline", "waiting"]
Key = tuple[str, str]
"""(site, room)."""

BACKLOG = 32
"""Events a slow viewer may fall behind; then the oldest are skipped."""


RIGHT_S = 60.0
"""A clock that is behind by less is not wrong."""


class Event(NamedTuple):
    """One server-sent event: its name, and its data as JSON."""

    name: Literal["mood", "status"]
    data: str


class RoomView(NamedTuple):
    """One room as the pages show it."""

    site: str
    room: str
    state: RoomState
    mood: Mood | None
    status: Status | None
    received: float = 0.0
    """When the newest mood came, by this machine's clock."""
    clock_lead_s: float | None = None
    """By how much the device's clock was ahead of this machine's when it last said its time."""
    losses: int = 0
    """Windows that were taken for erased, since its clock is behind."""

    @property
    def last_reading(self) -> float | None:
        """When the newest window ended, in Unix time: by its device's clock if that can be."""
        if self.mood is None:
            return None
        end = self.mood.start.timestamp() + self.mood.seconds
        return min(end, self.received) if self.mood.clock == "synced" else self.received


def state_of(mood: Mood | None, arrival: float, status: Status | None, now: float) -> RoomState:
    """One word for a room; three windows without news count as offline."""
    if status is not None and status.state != "online":
        return status.state
    if mood is None:
        return "waiting" if status is not None else "offline"
    if now - arrival > max(3 * mood.seconds, 30):
        return "offline"
    if mood.withheld == "paused":
        return "paused"
    return "withheld" if mood.withheld else "live"


class Rooms:
    """Written by the ingest thread, read by the web server's threads and its event loop.

    `is_erased` says of a window whether it was; one that was on its way then is not remembered.
    """

    def __init__(self, is_erased: Callable[[Mood], bool] = lambda _mood: False) -> None:
        self._is_erased = is_erased
        self._lock = threading.Lock()
        self._moods: dict[Key, tuple[Mood, float]] = {}
        self._status: dict[Key, Status] = {}
        self._clock_leads: dict[Key, float] = {}
        self._losses: dict[Key, int] = defaultdict(int)
        self._history: dict[Key, History] = defaultdict(History)
        self._changes: dict[Key, int] = defaultdict(int)
        self._forgets: dict[Key, int] = defaultdict(int)
        self._unread: dict[Key, Callable[[], Iterable[StoredSummary]]] = {}
        self._viewers: dict[Key, set[asyncio.Queue[Event | None]]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False

    def serve_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """The loop that the viewers' feeds run on."""
        self._loop = loop

    def update_mood(self, mood: Mood, arrival: float) -> bool:
        """Remembers a room's newest window; an older one that comes late changes nothing."""
        key = (mood.site, mood.room)
        with self._lock:
            if self._is_erased(mood):
                return False
            self._changes[key] += 1
            self._history[key].add(mood, arrival)
            latest = self._moods.get(key)
            if latest is not None and not self._is_newer(mood, arrival, *latest):
                return False
            self._moods[key] = (mood, arrival)
            self._history[key].runs(mood.boot)
        if self._viewers.get(key):
            self._notify(key, Event("mood", as_json(mood)))
        return True

    def _is_newer(self, mood: Mood, arrival: float, other: Mood, other_arrival: float) -> bool:
        """Of two runs of the agent the one that goes on now, as its status says."""
        status = self._status.get((mood.site, mood.room))
        return is_newer(
            mood,
            begin_of(mood.start.timestamp(), arrival),
            other,
            begin_of(other.start.timestamp(), other_arrival),
            status.boot if status is not None else None,
        )

    def remember(self, site: str, room: str, read: Callable[[], Iterable[StoredSummary]]) -> None:
        """Where a room's windows of before a restart are; they are read when they are asked for,
        or one after another once all runs, since those of all rooms would hold up the start."""
        with self._lock:
            self._unread[site, room] = read

    def unread(self) -> list[Key]:
        """Rooms whose windows of before a restart nobody has asked for yet."""
        with self._lock:
            return sorted(self._unread)

    def _read_before(self, key: Key) -> None:
        """Unreadable windows are left out; what was erased while they were read is read anew."""
        while (read := self._unread.get(key)) is not None:
            with self._lock:
                erasures = self._forgets[key]
            windows = list(read())  # where the database does not answer, the next one tries again
            with self._lock:
                if self._forgets[key] != erasures:
                    continue
                if self._unread.pop(key, None) is not None:
                    self._add_before(key, windows)
                return

    def _add_before(self, key: Key, windows: Iterable[StoredSummary]) -> None:
        self._changes[key] += 1
        keys = {(one.boot, one.seq) for one in self._history[key].all()}
        for row in windows:
            try:
                window = readable(row)
                if (window.boot, window.seq) not in keys:  # it came since, in a backlog
                    self._history[key].put(window)
            except (ValueError, TypeError) as error:
                log.error("%s/%s: window %s: %s", *key, row.seq, error)

    def changes(self, site: str, room: str) -> int:
        """How often a room's windows have changed, in memory."""
        with self._lock:
            return self._changes[site, room]

    def windows(self, site: str, room: str) -> list[WindowSummary]:
        """Those of the hours up to the newest, oldest first."""
        key = (site, room)
        self._read_before(key)
        with self._lock:
            history, newest = self._history.get(key), self._moods.get(key)
            if history is None or newest is None:
                return []
            return history.near(newest[0].start.timestamp())

    def forget(
        self,
        site: str,
        room: str,
        begin: float = 0.0,
        end: float = math.inf,
        *,
        status: bool = False,
    ) -> None:
        """What was erased; with a time, only the windows that start in it."""
        key = (site, room)
        with self._lock:
            self._forgets[key] += 1
            left = [s for s in self._history[key].all() if not begin <= s.start < end]
            self._history[key] = History(left)
            self._changes[key] += 1
            latest = self._moods.get(key)
            if latest is not None and begin <= latest[0].start.timestamp() < end:
                del self._moods[key]
            if status:
                self._status.pop(key, None)

    def update_status(self, status: Status) -> None:
        """As sent; an older device's figures are made as coarse as today's where they must be."""
        if status.health is not None:
            status = status.model_copy(update={"health": discreet(status.health)})
        key = (status.site, status.room)
        with self._lock:
            self._status[key] = status
        self._notify(key, Event("status", as_json(status)))

    def view(self, site: str, room: str) -> RoomView:
        key = (site, room)
        with self._lock:
            mood, arrival = self._moods.get(key, (None, 0.0))
            status = self._status.get(key)
            lead, losses = self._clock_leads.get(key), self._losses.get(key, 0)
        state = state_of(mood, arrival, status, time.time())
        return RoomView(site, room, state, mood, status, arrival, lead, losses)

    def note_clock(self, site: str, room: str, lead_s: float) -> None:
        """By how much (seconds) a device's clock is ahead, as a status tells that came just now."""
        with self._lock:
            self._clock_leads[(site, room)] = lead_s
            if lead_s > -RIGHT_S:
                self._losses.pop((site, room), None)

    def note_loss(self, site: str, room: str) -> None:
        """A window was not stored, since its device's clock is behind an erasure."""
        with self._lock:
            self._losses[(site, room)] += 1

    def all(self) -> list[RoomView]:
        with self._lock:
            keys = sorted(self._moods.keys() | self._status.keys())
        return [self.view(*key) for key in keys]

    async def feed(self, site: str, room: str) -> AsyncIterator[Event]:
        """What is known now, then every change, until `close`."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue(BACKLOG)
        key = (site, room)
        self._viewers[key].add(queue)  # first, so that what comes now is not missed
        now = self.view(site, room)
        try:
            if now.status is not None:
                yield Event("status", as_json(now.status))
            if now.mood is not None:
                yield Event("mood", as_json(now.mood))
            while not self._is_closed and (event := await queue.get()) is not None:
                yield event
        finally:
            self._viewers[key].discard(queue)

    def close(self) -> None:
        """Ends every feed, so that the web server can stop."""
        self._is_closed = True
        for key in list(self._viewers):
            self._notify(key, None)

    def _notify(self, key: Key, event: Event | None) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, key, event)

    def _put(self, key: Key, event: Event | None) -> None:
        for queue in self._viewers.get(key, set()):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)
