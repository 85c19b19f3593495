"""Begins and ends lessons: by the timetable, or as a room fills up and empties."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timezone

from collector.lessons.occupancy import OccupancyDetector
from collector.lessons.repository import Lesson, LessonRepository
from collector.lessons.summary import Summaries
from collector.lessons.timetable import PlannedLesson, Timetable
from edge.common.places import is_same, key
from edge.common.worker import Worker
from edge.protocol.messages import Mood

log = logging.getLogger(__name__)

EVERY_S = 5.0
PATIENCE_S = 300.0
"""A timetable that is fetched anew, or the summary of a long lesson, takes its time."""
LONGEST_S = 4 * 3600.0
"""A lesson that somebody began and forgot, or whose room fell silent."""

SETTLES_S = 60.0
"""After its end the last window of a lesson is still on its way."""

Room = tuple[str, str]
LessonListener = Callable[[str, Lesson], None]


class LessonScheduler(Worker):
    """`update_mood` is called with every new window."""

    def __init__(
        self,
        repository: LessonRepository,
        summaries: Summaries,
        rooms: Callable[[], Iterable[Room]],
        timetable: Timetable | None,
        notify: LessonListener,
        *,
        find: bool = True,
        is_in_doubt: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__("lessons", EVERY_S, patience_s=PATIENCE_S)
        self._repository = repository
        self._summaries = summaries
        self._rooms = rooms
        self._timetable = timetable
        self._notify = notify
        self._find = find
        self._is_in_doubt = is_in_doubt
        self._occupancy: dict[Room, OccupancyDetector] = defaultdict(OccupancyDetector)
        self._lock = threading.Lock()

    def update_mood(self, mood: Mood, arrival: float | None = None) -> None:
        """A window that came then (seconds since 1970), or now."""
        if self._find:
            with self._lock:
                moment = time.time() if arrival is None else arrival
                self._occupancy[mood.site, mood.room].add(mood, moment)

    def run_once(self) -> None:
        """Nothing while our clock is in doubt: a lesson at a wrong time is worse than none."""
        if not self._is_in_doubt():
            self.round(time.time())

    def round(self, now: float) -> None:
        """Everything that is due at a moment (seconds since 1970)."""
        running = {(lesson.site, lesson.room): lesson for lesson in self._repository.running()}
        for room, lesson in list(running.items()):
            end = lesson.planned_end or lesson.start + LONGEST_S
            if now >= end:
                with self.attempt(f"lesson {lesson.id}"):
                    self._end(lesson, end)
                    del running[room]
        with self.attempt("timetable"):
            self._by_timetable(now, running)
        self._by_occupancy(running)
        for lesson in self._repository.ended_without_summary():
            if lesson.end is not None and now - lesson.end > SETTLES_S:
                with self.attempt(f"the summary of lesson {lesson.id}"):
                    self._summaries.of(lesson)
                self.beat()

    def _by_timetable(self, now: float, running: dict[Room, Lesson]) -> None:
        if self._timetable is None:
            return
        for plan in self._timetable.now(datetime.fromtimestamp(now, timezone.utc)):
            for room in self._places(plan):
                current = running.get(room)
                if current is None or current.how == "found":
                    lesson = self._repository.begin(
                        *room,
                        plan.title,
                        "timetable",
                        teacher=plan.teacher,
                        start=plan.start.timestamp(),
                        planned_end=plan.end.timestamp(),
                    )
                    if lesson is not None:
                        running[room] = lesson
                        self._notify("lesson_began", lesson)

    def _places(self, plan: PlannedLesson) -> list[Room]:
        """A room whose site the timetable does not name is every known one of that name.

        However it is spelt there: a room may be lab-2, and `Lab 2` in the calendar; one that is
        r101 may be `Raum 101` where no room is called 101.
        """
        rooms = [(site, room) for site, room in self._rooms() if plan.site in (None, site)]
        by_name = [(site, room) for site, room in rooms if key(room) == key(plan.room)]
        return by_name or [(site, room) for site, room in rooms if is_same(room, plan.room)]

    def _by_occupancy(self, running: dict[Room, Lesson]) -> None:
        with self._lock:
            detectors = list(self._occupancy.items())
        for room, detector in detectors:
            lesson = running.get(room)
            if lesson is not None:
                detector.confirm_lesson()
                if lesson.how != "found":
                    continue
            change, at = detector.change(lesson is not None)
            with self.attempt("/".join(room)):
                if change == "ended" and lesson is not None:
                    self._end(lesson, at)
                elif change == "began" and lesson is None and not self._repository.running(*room):
                    # Asked again: one that a teacher began in this very round goes on.
                    new_lesson = self._repository.begin(*room, "Lesson", "found", start=at)
                    if new_lesson is not None:
                        self._notify("lesson_began", new_lesson)

    def _end(self, lesson: Lesson, at: float) -> None:
        self._repository.end(lesson, at)
        self._notify("lesson_ended", self._repository.lesson(lesson.id))
