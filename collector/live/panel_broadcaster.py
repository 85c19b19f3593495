"""Renders a room's panel once for each window and language, and sends it to all who watch.

Everybody who watches a room sees the same picture, so it is drawn once; a page that fetched its own
would draw it five hundred times.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping

from starlette.concurrency import run_in_threadpool

from collector.live.rooms import Key, RoomState
from collector.live.shares import Share, shares
from edge.common.worker import Worker, first_line

log = logging.getLogger(__name__)

LOOK_S = 5.0
"""How often rooms that fell silent are looked for: they send no window that says so."""
REDRAW_S = 20.0
"""A silent room's picture is drawn anew so often: what came last moves away from now."""
SHARES_S = 30.0
"""How old shares may be: they are of five minutes, and cost more than all the rest."""

FeedKey = tuple[Key, str]
"""A room, and a language."""
Draw = Callable[[Key, str], str]


class ShareCache:
    """Shares per room, made anew at most every SHARES_S, and not while a window waits."""

    def __init__(self) -> None:
        self._entries: dict[object, tuple[float, dict[str, Share]]] = {}

    def of(
        self, room: object, counts: Mapping[str, float], faces: float, model: str
    ) -> dict[str, Share]:
        at, room_shares = self._entries.get(room, (0.0, {}))
        if not room_shares or time.monotonic() - at > SHARES_S:
            room_shares = shares(counts, faces, model)
            self._entries[room] = (time.monotonic(), room_shares)
        return room_shares


class PanelBroadcaster(Worker):
    """A worker, and the feeds of those who watch."""

    def __init__(self, draw: Draw, state: Callable[[Key], RoomState]) -> None:
        super().__init__("panels", ends_in_s=3.0)
        self._draw = draw
        self._state = state
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watching: dict[FeedKey, set[asyncio.Queue[str | None]]] = defaultdict(set)
        self._due: queue.Queue[Key | None] = queue.Queue()
        self._changes: set[Key] = set()
        self._states: dict[Key, RoomState] = {}
        self._draw_times: dict[Key, float] = {}
        self._lock = threading.Lock()
        self._look_at = time.monotonic() + LOOK_S
        self._undrawn: dict[Key, str] = {}
        self._is_closed = False

    def serve_on(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def close(self) -> None:
        """Ends every feed."""
        self._is_closed = True
        for feed in list(self._watching):
            self._send(feed, None)

    def stop(self) -> bool:
        self.close()
        self._due.put(None)
        return super().stop()

    def problem(self) -> str:
        """A room that cannot be drawn is one, though the others are."""
        undrawn = [f"{'/'.join(key)} cannot be drawn: {why}" for key, why in self._undrawn.items()]
        return super().problem() or next(iter(undrawn), "")

    def refresh(self, key: Key) -> None:
        """There is news of a room; cheap, and safe to call from any thread."""
        with self._lock:
            if key in self._changes:
                return
            self._changes.add(key)
        self._due.put(key)

    async def feed(self, key: Key, language: str) -> AsyncIterator[str]:
        """The panel now and at every change, until the collector stops; the newest alone."""
        news: asyncio.Queue[str | None] = asyncio.Queue(1)
        # First to the list, then drawn: what changes in between comes as news.
        self._watching[key, language].add(news)
        try:
            yield await run_in_threadpool(self._draw, key, language)
            while not self._is_closed and (panel := await news.get()) is not None:
                yield panel
        finally:
            self._watching[key, language].discard(news)
            if not self._watching[key, language]:
                del self._watching[key, language]

    def run_once(self) -> None:
        """Draws the next room of which there is news, or looks for rooms that fell silent."""
        try:
            key = self._due.get(timeout=max(0.0, self._look_at - time.monotonic()))
        except queue.Empty:
            key = None
        if key is not None:
            with self._lock:
                self._changes.discard(key)
            self._paint(key)
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_S
            for silent in {room for room, _ in list(self._watching)}:
                old = time.monotonic() - self._draw_times.get(silent, 0.0) >= REDRAW_S
                if old or self._state(silent) != self._states.get(silent):
                    self.refresh(silent)

    def _paint(self, key: Key) -> None:
        languages = [language for room, language in list(self._watching) if room == key]
        self._states[key] = self._state(key)
        self._draw_times[key] = time.monotonic()
        for language in languages:
            try:
                panel = self._draw(key, language)
            except Exception as error:  # a room that cannot be drawn must not blind the others
                if key not in self._undrawn:
                    log.exception("%s/%s: the page cannot be drawn", *key)
                self._undrawn[key] = first_line(error)
                return
            self._send((key, language), panel)
        self._undrawn.pop(key, None)

    def _send(self, feed: FeedKey, panel: str | None) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, feed, panel)

    def _put(self, feed: FeedKey, panel: str | None) -> None:
        for news in self._watching.get(feed, set()):
            if news.full():
                news.get_nowait()
            news.put_nowait(panel)
