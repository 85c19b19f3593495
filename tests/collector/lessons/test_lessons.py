from __future__ import annotations

import csv
import io
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from sqlalchemy import Engine

from collector.lessons.checkins import ROUND_S, CheckIns
from collector.lessons.occupancy import EMPTIES_S, FILLS_S, OccupancyDetector
from collector.lessons.report import LessonReport, Reports, as_csv, as_parquet
from collector.lessons.repository import MOST_MARKERS, Lesson, LessonRepository
from collector.lessons.scheduler import LONGEST_S, SETTLES_S, LessonScheduler
from collector.lessons.summary import Summaries, instant, ratio
from collector.lessons.timetable import Timetable
from collector.pages.report_drawing import drawing, multiples
from collector.pages.words import words
from collector.retention.erasing import delete_windows
from collector.storage.store import Store
from collector.storage.tables import moods as moods_table
from edge.common.errors import UserError
from edge.protocol.messages import Mood
from tests.conftest import mood

BERLIN = "Europe/Berlin"
START = mood().start
NOW = (START + timedelta(days=1)).timestamp()
ROOM = ("school", "r101")


@pytest.fixture
def repository(engine: Engine) -> LessonRepository:
    return LessonRepository(engine)


def lesson(
    repository: LessonRepository, at: datetime = START, minutes: float = 45, title: str = "Optics"
) -> Lesson:
    entry = repository.begin(*ROOM, title, "button", teacher="tess", start=at.timestamp())
    assert entry is not None
    repository.end(entry, at.timestamp() + 60 * minutes)
    return repository.lesson(entry.id)


def windows(at: datetime = START, minutes: float = 45, **changes: Any) -> list[Mood]:
    count = int(minutes * 4)
    seq = int(at.timestamp()) // 15
    step = timedelta(seconds=15)
    return [mood(seq=seq + n, start=at + n * step, **changes) for n in range(count)]


def test_a_lesson_begins_ends_and_ends_the_one_before(repository: LessonRepository) -> None:
    first = repository.begin(*ROOM, "Optics", "button", start=1000.0)
    assert first is not None
    assert repository.by_code(str(first.code).upper()) == first
    second = repository.begin(*ROOM, "Waves", "button", start=2000.0)
    assert second is not None
    assert repository.begin(*ROOM, "Waves", "timetable", start=2000.0) is None
    assert [one.id for one in repository.running(*ROOM)] == [second.id]
    older = repository.lesson(first.id)
    assert (older.end, older.code) == (2000.0, None)
    assert repository.by_code(str(first.code)) is None


def test_markers_and_notes(repository: LessonRepository) -> None:
    optics = repository.begin(*ROOM, "Optics", "button")
    assert optics is not None
    repository.mark(optics, "  experiment starts ")
    with pytest.raises(UserError, match="marker: no text"):
        repository.mark(optics, "  ")
    assert [marker.text for marker in repository.markers(optics)] == ["experiment starts"]
    for _ in range(MOST_MARKERS - 1):
        repository.mark(optics, "x", optics.start)
    with pytest.raises(UserError, match="has 200 markers already"):
        repository.mark(optics, "one more")
    repository.describe(optics, "", "went well")
    assert (repository.lesson(optics.id).title, repository.lesson(optics.id).notes) == (
        "Lesson",
        "went well",
    )
    repository.erase(optics)
    with pytest.raises(UserError, match="no such lesson"):
        repository.lesson(optics.id)


HEADINGS = "day,start,end,room,title,teacher\n"
HEADINGS = "day,start,end,room,title,teacher\n"
CSV = f"""{HEADINGS}Monday,09:15,10:00,r101,Optics,tess
monday,10:00,10:45,school/r102,Waves,otto
2026-03-03,08:00,08:45,r101,Trip,
"""

ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//school//timetable//EN
BEGIN:VEVENT
UID:1
DTSTART;TZID=Europe/Berlin:20260302T091500
DTEND;TZID=Europe/Berlin:20260302T100000
RRULE:FREQ=WEEKLY;COUNT=10
EXDATE;TZID=Europe/Berlin:20260309T091500
SUMMARY:Optics
LOCATION:R101
ORGANIZER;CN=tess:mailto:tess@school.example
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTART;VALUE=DATE:20260302
DTEND;VALUE=DATE:20260303
SUMMARY:An outing
LOCATION:r102
END:VEVENT
END:VCALENDAR
"""


@pytest.mark.parametrize(("name", "text"), [("t.csv", CSV), ("t.ics", ICS)])
def test_the_timetable_says_what_goes_on(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    table = Timetable(path, BERLIN)
    (now,) = table.now(datetime(2026, 3, 2, 8, 20, tzinfo=timezone.utc))
    assert (now.site, now.room, now.title, now.teacher) == (None, "r101", "Optics", "tess")
    assert (now.start, now.end) == (START, START + timedelta(minutes=45))
    assert table.now(datetime(2026, 3, 2, 7, 50, tzinfo=timezone.utc)) == []
    # A month later clocks were set forward: the lesson is at a quarter past nine all the same.
    (summer,) = table.now(datetime(2026, 4, 6, 7, 20, tzinfo=timezone.utc))
    assert summer.start == datetime(2026, 4, 6, 7, 15, tzinfo=timezone.utc)
    left_out = table.now(datetime(2026, 3, 9, 8, 20, tzinfo=timezone.utc))
    assert len(left_out) == (0 if name == "t.ics" else 1)


@pytest.mark.parametrize(
    ("name", "text", "outcome"),
    [
        ("t.csv", "day,start,end\n", "columns room, title are missing"),
        ("t.csv", "", "holds no row"),
        ("t.csv", HEADINGS + "Friday,10:00,09:00,r101,x,\n", "line 2: column 'end': 09:00 is not"),
        ("t.csv", HEADINGS + "Someday,10:00,11:00,r101,x,\n", "line 2: column 'day': Someday"),
        ("t.ics", "no calendar", "not an iCalendar file"),
    ],
)
def test_a_timetable_that_is_wrong_is_named(
    tmp_path: Path, name: str, text: str, outcome: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(UserError, match=outcome):
        Timetable(path, BERLIN)
    with pytest.raises(UserError, match="No such file"):
        Timetable(tmp_path / "none.csv", BERLIN)


def test_a_timetable_that_breaks_while_it_is_in_use_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(CSV)
    table = Timetable(path, BERLIN)
    time.sleep(0.02)
    path.write_text("broken")
    assert len(table.now(START)) == 1


def scheduler_of(
    engine: Engine, notices: list[tuple[str, str]], table: Timetable | None = None
) -> tuple[LessonScheduler, LessonRepository]:
    repository = LessonRepository(engine)
    scheduler = LessonScheduler(
        repository,
        Summaries(Store(engine), repository),
        lambda: [ROOM, ("school", "r102")],
        table,
        lambda event, lesson: notices.append((event, lesson.title)),
    )
    return scheduler, repository


def test_the_clerk_keeps_to_the_timetable(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(CSV)
    notices: list[tuple[str, str]] = []
    scheduler, repository = scheduler_of(engine, notices, Timetable(path, BERLIN))
    at = START.timestamp()
    for minute in (-5, 1, 2, 44):
        scheduler.round(at + 60 * minute)
    assert [(one.title, one.teacher, one.start) for one in repository.running()] == [
        ("Optics", "tess", at)
    ]
    scheduler.round(at + 60 * 46)
    (now,) = repository.running()
    assert (now.room, now.title) == ("r102", "Waves")
    assert repository.of()[1].end == at + 60 * 45
    assert notices == [
        ("lesson_began", "Optics"),
        ("lesson_ended", "Optics"),
        ("lesson_began", "Waves"),
    ]


def test_a_lesson_is_found_when_a_room_fills_and_ends_when_it_empties(engine: Engine) -> None:
    notices: list[tuple[str, str]] = []
    scheduler, repository = scheduler_of(engine, notices)
    few: dict[str, Any] = {"faces": None, "counts": None, "withheld": "few_faces"}
    moods = [*windows(minutes=5, **few), *windows(START + timedelta(minutes=5), minutes=30)]
    for one in moods:
        scheduler.update_mood(one)
        scheduler.round(one.start.timestamp() + 15)
    (entry,) = repository.running()
    assert (entry.how, entry.start) == ("found", START.timestamp() + 300)
    for one in windows(START + timedelta(minutes=35), minutes=12, **few):
        scheduler.update_mood(one)
        scheduler.round(one.start.timestamp() + 15)
    assert repository.lesson(entry.id).end == START.timestamp() + 60 * 35
    assert [event for event, _ in notices] == ["lesson_began", "lesson_ended"]


def test_a_class_that_stays_after_the_bell_begins_no_other_lesson(engine: Engine) -> None:
    scheduler, repository = scheduler_of(engine, [])
    optics = repository.begin(*ROOM, "Optics", "button", start=START.timestamp())
    assert optics is not None
    for one in windows(minutes=10):
        scheduler.update_mood(one)
        scheduler.round(one.start.timestamp() + 15)
    repository.end(optics, START.timestamp() + 600)
    few: dict[str, Any] = {"faces": None, "counts": None, "withheld": "few_faces"}
    later = START + timedelta(minutes=10)
    for one in windows(later, minutes=10):
        scheduler.update_mood(one)
        scheduler.round(one.start.timestamp() + 15)
    assert repository.running() == []
    # Once the room has been empty, the next class is found.
    for one in [
        *windows(later + timedelta(minutes=10), minutes=1, **few),
        *windows(later + timedelta(minutes=11), minutes=4),
    ]:
        scheduler.update_mood(one)
        scheduler.round(one.start.timestamp() + 15)
    (running_lesson,) = repository.running()
    assert (running_lesson.how, running_lesson.start) == (
        "found",
        (later + timedelta(minutes=11)).timestamp(),
    )


def test_a_room_that_falls_silent_does_not_teach_for_ever(engine: Engine) -> None:
    scheduler, repository = scheduler_of(engine, [])
    optics = repository.begin(*ROOM, "Optics", "button", start=1000.0)
    scheduler.round(1000 + LONGEST_S - 1)
    assert repository.running()
    scheduler.round(1000 + LONGEST_S)
    assert repository.running() == []
    assert optics is not None
    scheduler.round(1000 + LONGEST_S + SETTLES_S + 1)
    assert repository.lesson(optics.id).summary is not None


def test_presence_needs_most_of_the_time() -> None:
    presence = OccupancyDetector()
    for one in windows(minutes=FILLS_S / 60):
        presence.add(one, NOW)
    assert presence.change(False) == ("began", START.timestamp())
    assert presence.change(True) == (None, 0.0)
    gap = OccupancyDetector()
    for one in windows(minutes=FILLS_S / 60)[::3]:
        gap.add(one, NOW)
    assert gap.change(False) == (None, 0.0)
    assert EMPTIES_S > FILLS_S


def test_check_ins_are_told_by_the_same_rule_and_only_when_their_round_is_over(
    engine: Engine, repository: LessonRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.lessons.checkins.inexact", lambda counts, *_: counts)
    optics = repository.begin(*ROOM, "Optics", "button", start=time.time() - 2 * ROUND_S - 60)
    assert optics is not None
    checkins = CheckIns(engine)

    def tap(answer: str, count: int, begin: float) -> None:
        for _ in range(count):
            checkins.add(optics._replace(start=begin), answer)  # type: ignore[arg-type]  # an answer

    now = time.time()
    tap("well", 9, now - 10)
    tap("lost", 1, now - 10)
    tap("well", 4, now - ROUND_S - 10)
    tap("well", 9, now - 2 * ROUND_S - 10)
    first, second = checkins.rounds(optics)
    # One who is lost is not told, and neither is that there is just one.
    assert first.counts == {"well": 7, "so_so": 0, "lost": 0, "other": 3}
    assert (second.answers, second.counts) == (None, None)
    repository.end(optics)
    third = checkins.rounds(repository.lesson(optics.id))[2]
    assert (third.answers, third.counts) == (9, {"well": 6, "so_so": 0, "lost": 0, "other": 3})


def report(engine: Engine, one: Lesson, attentive: tuple[str, ...] = ()) -> LessonReport:
    repository = LessonRepository(engine)
    reports = Reports(repository, Summaries(Store(engine), repository), CheckIns(engine), attentive)
    return reports.of(one, lambda _: True)


def test_a_report_has_averages_over_time(engine: Engine, repository: LessonRepository) -> None:
    first = windows(minutes=30)
    pause: dict[str, Any] = {
        "faces": None,
        "counts": None,
        "withheld": "paused",
        "frames": 0,
    }
    second = windows(START + timedelta(minutes=30), minutes=15, **pause)
    Store(engine).add([*first, *second, mood(seq=9, start=START - timedelta(hours=2))])
    lesson_report = report(engine, lesson(repository), attentive=("neutral",))
    assert lesson_report.summary.counts == {"happy": 5.0, "neutral": 4.0, "uncertain": 3.0}
    assert lesson_report.summary.faces == 12
    assert lesson_report.summary.seconds_told == 1800
    assert (
        lesson_report.summary.coverage.seen,
        lesson_report.summary.coverage.paused,
    ) == pytest.approx((2 / 3, 1 / 3))
    assert lesson_report.attentive == pytest.approx(4 / 9)
    assert len(lesson_report.summary.slots) == 60
    assert lesson_report.summary.slots[-1].withheld == "paused"
    happy = lesson_report.summary.shares["happy"]
    assert happy.value == pytest.approx(5 / 9)
    assert happy.low < happy.value < happy.high
    picture = drawing(lesson_report, words("en"), str)
    assert [piece.label for piece in picture.pie] == ["happy", "neutral"]
    assert len(picture.timeline.hidden_rows) == 20
    (gap,) = picture.timeline.gaps
    assert gap.why == "paused"
    assert gap.width == pytest.approx(96 / 3)


def test_without_a_mapping_of_its_own_a_school_gets_no_ratio() -> None:
    assert ratio({"happy": 5.0}, ()) is None
    assert ratio({"uncertain": 5.0}, ("happy",)) is None


def test_a_report_outlives_its_windows_and_takes_late_ones(
    engine: Engine, repository: LessonRepository
) -> None:
    now = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=1)
    moods = windows(now)
    store = Store(engine)
    store.add(moods[:100])
    one = lesson(repository, now)
    assert report(engine, one).summary.seconds_told == 1500
    store.add(moods)
    assert report(engine, repository.lesson(one.id)).summary.seconds_told == 2700
    assert delete_windows(engine, moods_table.c.room == ROOM[1]) == 180  # as retention does
    assert report(engine, repository.lesson(one.id)).summary.seconds_told == 2700


def test_a_lesson_is_compared_with_earlier_ones_of_its_title(
    engine: Engine, repository: LessonRepository
) -> None:
    week = timedelta(days=7)
    for number in range(3):
        Store(engine).add(windows(START + number * week, minutes=5))
        lesson(repository, START + number * week, minutes=5)
    lesson(repository, START + 2 * week + timedelta(hours=1), title="Waves")
    last = next(one for one in repository.of() if one.title == "Optics")
    lesson_report = report(engine, last)
    assert [one.start for one in lesson_report.earlier] == [START + week, START]
    picture = multiples(lesson_report.earlier)
    assert [(one.label, len(one.dots)) for one in picture] == [
        ("happy", 2),
        ("neutral", 2),
        ("faces", 2),
    ]


def test_a_report_as_tables(engine: Engine, repository: LessonRepository) -> None:
    Store(engine).add(windows(minutes=5))
    one = lesson(repository, minutes=5)
    lesson_report = report(engine, one)
    lesson_report.markers.append(
        type("M", (), {"at": instant(one.start + 61), "text": "=SUM(A1)"})()
    )
    rows = list(csv.DictReader(io.StringIO(as_csv(lesson_report))))
    assert len(rows) == 10
    assert rows[0]["start"] == "2026-03-02T08:15:00.000Z"
    assert float(rows[0]["happy"]) == 5
    assert rows[2]["markers"] == "'=SUM(A1)"
    table = parquet.read_table(io.BytesIO(as_parquet(lesson_report)))
    assert table.column("neutral").to_pylist() == [4.0] * 10
