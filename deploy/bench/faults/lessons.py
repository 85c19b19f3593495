"""What pages and lessons show, beside what was counted: a feed alone would hide a blind page."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select

from collector.lessons.repository import LessonRepository
from collector.storage.database import connect
from collector.storage.store import AHEAD_S
from collector.storage.tables import moods

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

    def wrong(self) -> list[str]:
        """Ends the lessons; what pages and reports lack of what is stored, or have too much."""
        engine = connect(self._url)
        repository = LessonRepository(engine)
        end = time.time()
        for number in self._lessons.values():
            repository.end(repository.lesson(number), end)
        counts = {room: self._count(engine, room, end) for room in self._lessons}
        engine.dispose()
        problems = []
        for room, number in self._lessons.items():
            problems += self._of_report(room, number, counts[room])
            status, page = self._get(f"/rooms/{self._site}/{room}")
            if status != 200 or "<svg" not in page:
                problems.append(f"{room}: its page answers {status}, without a timeline")
        return problems

    def _count(self, engine: Engine, room: str, end: float) -> int:
        """Windows of the lesson's time, without those that came before they began: while the
        collector's clock is a day behind, no time that a device tells is known to be right."""
        query = select(func.count()).where(
            *(moods.c.site == self._site, moods.c.room == room, moods.c.start < end),
            moods.c.start + moods.c.seconds > self._start,
            moods.c.start <= moods.c.received + AHEAD_S,
        )
        with engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def _of_report(self, room: str, number: int, within: int) -> list[str]:
        status, text = self._get(f"/api/lessons/{number}")
        if status != 200:
            return [f"{room}: its lesson answers {status}"]
        report: dict[str, Any] = json.loads(text)
        count = int(report["summary"]["coverage"]["windows"])
        if not within <= count <= within + STRANGERS:  # some may have come since
            return [f"{room}: its lesson has {count} windows of {within}"]
        return []

    def _get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("GET", path, headers=self._headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()
