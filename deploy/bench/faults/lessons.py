"""What pages and lessons show, beside what was counted: a feed alone would hide a blind page."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from collector.lessons.repository import LessonRepository
from collector.storage.database import connect
from edge.protocol.messages import Mood

STRANGERS = 20
"""Windows that others sent for the room, as a fault."""


class LessonsUnderFaults:
    """One lesson in each room, from the start of the bench to its end."""

    def __init__(self, database: Path, port: int, token: str, site: str) -> None:
        self._url, self._port, self._site = f"sqlite:///{database}", port, site
        self._headers = {"authorization": f"Bearer {token}"}
        self._lessons: dict[str, int] = {}
        self._start = 0.0

    def begin(self, rooms: Iterable[str]) -> None:
        engine = connect(self._url)
        repository = LessonRepository(engine)
        self._start = time.time()
        for room in rooms:
            lesson = repository.begin(self._site, room, "Faults", "button", start=self._start)
            if lesson is not None:
                self._lessons[room] = lesson.id
        engine.dispose()

    def wrong(self, moods: Iterable[Mood]) -> list[str]:
        """Ends the lessons; what pages and reports lack, or have too much."""
        engine = connect(self._url)
        repository = LessonRepository(engine)
        end = time.time()
        for number in self._lessons.values():
            repository.end(repository.lesson(number), end)
        engine.dispose()
        windows = list(moods)
        problems = []
        for room, number in self._lessons.items():
            own = [one for one in windows if one.room == room]
            problems += self._of_report(room, number, own, end)
            status, page = self._get(f"/rooms/{self._site}/{room}")
            if status != 200 or "<svg" not in page:
                problems.append(f"{room}: its page answers {status}, without a timeline")
        return problems

    def _of_report(self, room: str, number: int, own: list[Mood], end: float) -> list[str]:
        status, text = self._get(f"/api/lessons/{number}")
        if status != 200:
            return [f"{room}: its lesson answers {status}"]
        report: dict[str, Any] = json.loads(text)
        starts = [(one.start.timestamp(), one.seconds) for one in own]
        within = [s for s, seconds in starts if s < end and s + seconds > self._start]
        count = int(report["summary"]["coverage"]["windows"])
        # A merged window is one, and stands for several; the last may be on its way.
        if not len(within) - 1 <= count <= len(within) + STRANGERS:
            return [f"{room}: its lesson has {count} windows of {len(within)}"]
        return []

    def _get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("GET", path, headers=self._headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()
