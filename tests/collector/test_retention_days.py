"""What retention deletes is written down day by day, where nobody changes it unseen."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

from sqlalchemy import Engine

from collector.access.audit import AuditLog
from collector.access.secret import own_key
from collector.config import Retention
from collector.lessons.repository import LessonRepository
from collector.retention.runs import RUN, RetentionDay, add_round, current_day, days_in
from collector.retention.worker import RetentionWorker
from collector.storage.store import Store
from tests.conftest import mood

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def audit_log(engine: Engine, folder: Path) -> AuditLog:
    return AuditLog(engine, folder / "state", own_key(folder / "state"))


def entries(audit: AuditLog) -> list[str]:
    return [one.about for one in reversed(audit.newest()) if one.what == RUN]


def test_a_day_is_one_entry_once_it_is_over(engine: Engine, tmp_path: Path) -> None:
    audit = audit_log(engine, tmp_path)
    worker = RetentionWorker(engine, lambda _: Retention(windows_days=1, lessons_days=1), audit)
    Store(engine).add([mood(seq=n, start=NOON - 3 * DAY + timedelta(minutes=n)) for n in range(4)])
    lessons = LessonRepository(engine)
    lesson = lessons.begin("school", "r101", "Optics", "button", start=(NOON - 3 * DAY).timestamp())
    assert lesson is not None
    lessons.end(lesson, lesson.start + 60)
    worker.round(NOON.timestamp())
    worker.round(NOON.timestamp() + 600)
    assert entries(audit) == []
    assert current_day(engine) == RetentionDay("2026-03-02", 2, 4, 1, 0)
    worker.round((NOON + DAY).timestamp())
    words = "2026-03-02: 2 rounds, 4 windows and 1 lessons deleted, 0 failures"
    assert entries(audit) == [words]
    assert days_in(audit.newest()) == [RetentionDay("2026-03-02", 2, 4, 1, 0)]
    assert current_day(engine) == RetentionDay("2026-03-03", 1, 0, 0, 0)
    assert list(audit.wrong()) == []


def test_one_that_a_kill_wrote_twice_counts_once(engine: Engine, tmp_path: Path) -> None:
    audit = audit_log(engine, tmp_path)
    for _ in range(2):
        audit.add("the collector", RUN, str(RetentionDay("2026-03-02", 2, 4, 1, 0)))
    audit.add("ann", RUN, "something else")
    audit.add("ann", "erased", str(RetentionDay("2026-03-09", 2, 4, 1, 0)))
    assert [day.day for day in days_in(audit.newest())] == ["2026-03-02"]


def test_a_clock_that_goes_back_loses_no_day(engine: Engine, tmp_path: Path) -> None:
    audit = audit_log(engine, tmp_path)
    for day, count in ((NOON, 5), (NOON - DAY, 7), (NOON, 1)):
        add_round(engine, audit, day.timestamp(), count, 0, 0)
    assert [one.split(":")[0] for one in entries(audit)] == ["2026-03-02", "2026-03-01"]
    assert current_day(engine) == RetentionDay("2026-03-02", 1, 1, 0, 0)
