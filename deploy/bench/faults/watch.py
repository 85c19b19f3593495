"""Watches a room as its live page does: the collector's feed, opened again whenever it ends."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from typing import Any, NamedTuple

AGAIN_S = 1.0
"""As the feed tells browsers: see collector/api/routes.py."""

SILENT_S = 20


class ShownWindow(NamedTuple):
    """A window that reached the page, and when, on the monotonic clock."""

    at: float
    mood: dict[str, Any]


class Watcher:
    def __init__(self, port: int, site: str, room: str, token: str) -> None:
        self._port, self._path = port, f"/api/rooms/{site}/{room}/live"
        self._headers = {"authorization": f"Bearer {token}"}
        self._last: tuple[str, int] | None = None
        self._news = threading.Condition()
        self._windows: list[ShownWindow] = []
        self._stopping = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def live_after(self, moment: float, timeout: float) -> float | None:
        """When the first window with a picture reached the page after a moment, or None."""
        end = time.monotonic() + timeout
        with self._news:
            while True:
                for entry in self._windows:
                    if entry.at > moment and entry.mood["frames"]:
                        return entry.at
                if not self._news.wait(max(0.0, end - time.monotonic())):
                    return None

    def forget(self) -> None:
        with self._news:
            self._windows = self._windows[-5:]

    def stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._listen()
            self._stopping.wait(AGAIN_S)

    def _listen(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=SILENT_S)
        connection.request("GET", self._path, headers=self._headers)
        answer = connection.getresponse()
        name = ""
        while not self._stopping.is_set() and (line := answer.readline().decode()):
            key, _, value = line.rstrip("\n").partition(": ")
            if key == "event":
                name = value
            elif key == "data" and name == "mood":
                self._receive(json.loads(value))

    def _receive(self, mood: dict[str, Any]) -> None:
        """A feed that is opened again first repeats what is known: that is no news."""
        which = (mood["start"], mood["seq"])
        with self._news:
            if which != self._last:
                self._last = which
                self._windows.append(ShownWindow(time.monotonic(), mood))
                self._news.notify_all()
