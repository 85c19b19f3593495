"""A made-up school for the demo: its rooms, a week of lessons, and who sits there today.

No camera saw any of it. It is drawn from a seed, disclosed by the rules of a device, and goes where
a school's own windows, lessons and check-ins go; the demo's pages say that it is made up.
"""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from importlib.metadata import version
from typing import NamedTuple

from sqlalchemy import Engine

from collector.lessons.checkins import ANSWERS, CheckIns
from collector.lessons.repository import Lesson, LessonRepository
from collector.storage.store import Store
from edge.protocol.counts import apportion, disclose, headcount
from edge.protocol.messages import UNCERTAIN, Mood, Status
from edge.vision.pack import open_pack
from edge.window.disclosure import SteadyDisclosure

SEED = 7
WINDOW_S = 30.0
"""Longer than a device's usual one: half as much to store."""
LESSON_S = 2700.0
DAYS = 7
SO_FAR_S = 1500.0
"""Of the lesson that goes on when the demo starts."""

LABELS = ("happy", "surprise", "neutral", "sad", "fear", "disgust", "angry", UNCERTAIN)
USUAL = {"neutral": 0.64, "happy": 0.22, "surprise": 0.14}
WANDERS = 0.05
"""Deviation by which a label's share strays in a lesson."""
LASTS_S = 480.0
"""What a marker begins."""


class Turn(NamedTuple):
    """From a minute on something else is done, and shows in the faces: by label, added shares."""

    minute: float
    marker: str
    adds: Mapping[str, float]


class WeeklyLesson(NamedTuple):
    """A lesson that comes again: in which rooms, on which weekdays, and when it begins."""

    title: str
    room: str
    days: Sequence[int]
    begins: tuple[int, int]
    turns: Sequence[Turn]


EXPLAIN = Turn(4, "explanation", {"neutral": 0.15})
GROUPS = Turn(16, "group work", {"happy": 0.6})
EXPERIMENT = Turn(22, "experiment", {"surprise": 0.8})
TEST = Turn(14, "test", {"neutral": 0.2, "sad": 0.6})

LIVE = "classroom"
"""The room of the demo's own camera."""
COUNTING = "music"
"""Here faces are counted, and nothing else."""
PAUSED_ROOMS = ("languages", "physics")
"""Nobody is there now."""
OFF: Mapping[str, object] = {"faces": None, "counts": None, "withheld": "paused"}

RUNNING = "Optics 8b"
COURSES = (
    WeeklyLesson(RUNNING, LIVE, (0, 2, 3), (8, 0), (EXPLAIN, EXPERIMENT)),
    WeeklyLesson("Algebra 9a", LIVE, (1, 3), (9, 55), (EXPLAIN, GROUPS)),
    WeeklyLesson("History 7c", LIVE, (0, 4), (11, 40), (GROUPS,)),
    WeeklyLesson("Mechanics 10a", "physics", (0, 1, 4), (10, 45), (EXPLAIN, EXPERIMENT)),
    WeeklyLesson("Electricity 9c", "physics", (2, 3), (8, 50), (TEST,)),
    WeeklyLesson("French 7a", "languages", (0, 2, 4), (8, 50), (GROUPS,)),
    WeeklyLesson("English 8b", "languages", (1, 3), (10, 45), (EXPLAIN, GROUPS)),
    WeeklyLesson("Choir 6", COUNTING, (1, 3), (11, 40), ()),
    WeeklyLesson("Music 7b", COUNTING, (0, 2, 4), (9, 55), ()),
)


class MadeUpClass:
    """One lesson's class, window by window; the same random numbers make the same class."""

    def __init__(self, course: WeeklyLesson, chance: random.Random) -> None:
        self._course = course
        self._chance = chance
        self._size = chance.randint(22, 28)
        self._late = chance.randint(0, 3)
        self._strays = dict.fromkeys(USUAL, 0.0)
        self._disclosure = SteadyDisclosure()

    def window(self, second: float) -> dict[str, object]:
        """What a device would publish of that second of the lesson: faces, counts, withheld."""
        latecomers = self._late if second > 300 else 0
        away = self._chance.choices((0, 1), (7, 1))[0]
        faces = max(5, self._size - self._late + latecomers - away)
        if self._course.room == COUNTING:
            return headcount(faces)._asdict()
        counts = dict.fromkeys(LABELS, 0) | apportion(self._shares(second), faces)
        return disclose(self._disclosure.settle(counts))._asdict()

    def _shares(self, second: float) -> dict[str, float]:
        for label, stray in self._strays.items():
            self._strays[label] = 0.97 * stray + self._chance.gauss(0, WANDERS * math.sqrt(0.06))
        shares = {label: usual + self._strays[label] for label, usual in USUAL.items()}
        for turn in self._course.turns:
            if 0 <= second - 60 * turn.minute < LASTS_S:
                for label, more in turn.adds.items():
                    shares[label] = shares.get(label, 0.0) + more
        return {label: max(0.0, share) for label, share in shares.items()}


class MadeUpSchool:
    """Everything that is made up, of one site."""

    def __init__(self, site: str, zone: tzinfo, seed: int = SEED) -> None:
        self._site = site
        self._zone = zone
        self._chance = random.Random(seed)  # nothing is kept secret by it
        self._model = open_pack("fer7")[0].digest
        self._seq = 0
        self._before = uuid.UUID(int=self._chance.getrandbits(128), version=4)
        """The run of the week before; what devices publish from now on is another one's."""
        self._today = uuid.uuid4()
        self._choir = MadeUpClass(COURSES[-1], self._chance)

    def fill(self, engine: Engine, now: float, *, live: bool) -> int:
        """Stores the week before `now` (seconds since 1970); returns how many lessons.

        With `live` also what the demo's own room has seen so far: its camera is a simulation.
        """
        repository, store, checkins = LessonRepository(engine), Store(engine), CheckIns(engine)
        windows: list[Mood] = []
        count = 0
        for course, start in sorted(self._timetable(now), key=lambda one: one[1]):
            if course.room == LIVE and not live:
                continue
            windows += self._windows(course, start, LESSON_S)
            lesson = self._lesson(repository, course, start)
            self._ask(checkins, lesson)
            repository.end(lesson, start + LESSON_S)
            count += 1
        running = [course for course in COURSES if course.title == RUNNING and live]
        running += [course for course in COURSES if course.title == "Music 7b"]
        for course in running:
            windows += self._windows(course, now - SO_FAR_S, SO_FAR_S)
            self._lesson(repository, course, now - SO_FAR_S, now + LESSON_S - SO_FAR_S)
            count += 1
        for room in PAUSED_ROOMS:
            for at in range(int(SO_FAR_S // WINDOW_S)):
                windows.append(self._mood(room, now - SO_FAR_S + WINDOW_S * at, WINDOW_S, OFF))
        store.add(windows)
        return count

    def _timetable(self, now: float) -> Iterator[tuple[WeeklyLesson, float]]:
        today = datetime.fromtimestamp(now, self._zone)
        for back in range(DAYS + 1):
            day = today - timedelta(days=back)
            for course in COURSES:
                hour, minute = course.begins
                begins = day.replace(hour=hour, minute=minute, second=0, microsecond=0)
                over = begins.timestamp() + LESSON_S < now - SO_FAR_S - 300
                if day.weekday() in course.days and over:
                    yield course, begins.timestamp()

    def _windows(self, course: WeeklyLesson, start: float, seconds: float) -> Iterator[Mood]:
        group = MadeUpClass(course, self._chance)
        for number in range(int(seconds // WINDOW_S)):
            second = number * WINDOW_S
            yield self._mood(course.room, start + second, WINDOW_S, group.window(second))

    def _lesson(
        self,
        repository: LessonRepository,
        course: WeeklyLesson,
        start: float,
        end: float | None = None,
    ) -> Lesson:
        lesson_end = end or start + LESSON_S
        lesson = repository.begin(
            *(self._site, course.room, course.title, "timetable"),
            start=start,
            planned_end=lesson_end,
        )
        assert lesson is not None  # no two courses begin in a room at once
        for turn in course.turns:
            if end is None or 60 * turn.minute < SO_FAR_S:
                repository.mark(lesson, turn.marker, start + 60 * turn.minute)
        return lesson

    def _ask(self, checkins: CheckIns, lesson: Lesson) -> None:
        """In some lessons the class was asked, twice."""
        if self._chance.random() < 0.4:
            for minute, weights in ((12, (6, 3, 1)), (32, (8, 2, 1))):
                for _ in range(self._chance.randint(9, 18)):
                    answer = self._chance.choices(ANSWERS, weights)[0]
                    checkins.add(lesson, answer, lesson.start + 60 * minute)

    def _mood(
        self,
        room: str,
        start: float,
        seconds: float,
        content: Mapping[str, object],
        boot: uuid.UUID | None = None,
    ) -> Mood:
        self._seq += 1
        return Mood.model_validate(
            {
                "schema": "roommood.mood/1",
                **{"site": self._site, "room": room, "device": room},
                **{"boot": boot or self._before, "seq": self._seq, "clock": "synced"},
                "start": datetime.fromtimestamp(start, timezone.utc),
                **{"seconds": seconds, "frames": int(10 * seconds), "model": self._model},
                **content,
            }
        )

    def latest(self, at: float, seconds: float) -> Iterator[Mood]:
        """What the other rooms' devices publish of the seconds before `at`."""
        for room in PAUSED_ROOMS:
            yield self._mood(room, at - seconds, seconds, OFF, self._today)
        yield self._mood(COUNTING, at - seconds, seconds, self._choir.window(LESSON_S), self._today)

    def states(self, at: float) -> Iterator[Status]:
        """How the other rooms' devices are: one works, the rest wait for the next lesson."""
        for room in (COUNTING, *PAUSED_ROOMS):
            is_paused = room in PAUSED_ROOMS
            health = {
                **{"version": version("roommood"), "uptime_s": 3600, "frames_per_s": 0.0},
                **{"ms_per_frame": None, "waiting": 0, "mode": "headcount", "because": "set"},
                "pause": "schedule" if is_paused else None,
            }
            yield Status.model_validate(
                {
                    "schema": "roommood.status/1",
                    **{"site": self._site, "room": room, "device": room, "boot": self._today},
                    "state": "paused" if is_paused else "online",
                    "at": datetime.fromtimestamp(at, timezone.utc),
                    "health": health,
                }
            )
