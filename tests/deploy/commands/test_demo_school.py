"""The demo's made-up week: by a seed, stored as a school's, and worth a look on any day."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from collector.lessons.checkins import CheckIns
from collector.lessons.findings import findings
from collector.lessons.repository import LessonRepository
from collector.lessons.summary import Summaries
from collector.storage.database import connect
from collector.storage.store import Store
from deploy.commands.demo_school import COUNTING, LESSON_S, PAUSED_ROOMS, MadeUpSchool

pytestmark = pytest.mark.once

ZONE = ZoneInfo("Europe/Berlin")
THURSDAY = datetime(2026, 11, 26, 17, 0, tzinfo=timezone.utc)


def test_the_same_seed_is_the_same_week(tmp_path: Path) -> None:
    windows = []
    for name in ("one", "two"):
        engine = connect(f"sqlite:///{tmp_path / name}")
        MadeUpSchool("demo", ZONE).fill(engine, THURSDAY.timestamp(), live=True)
        since = THURSDAY - timedelta(days=8)
        windows.append(Store(engine).between("demo", "classroom", since, THURSDAY))
        engine.dispose()
    assert len(windows[0]) > 500
    assert windows[0] == windows[1]


@pytest.mark.parametrize("days", range(7))
def test_on_every_day_of_the_week_there_is_a_lesson_and_a_history(
    tmp_path: Path, days: int
) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'week'}")
    now = (THURSDAY + timedelta(days=days)).timestamp()
    count = MadeUpSchool("demo", ZONE).fill(engine, now, live=True)
    repository, checkins = LessonRepository(engine), CheckIns(engine)
    lessons = repository.of()
    assert len(lessons) == count >= 20
    assert {one.room for one in repository.running()} == {"classroom", COUNTING}
    assert all(one.until - one.start == LESSON_S for one in lessons if one.end is not None)
    summaries = Summaries(Store(engine), repository)
    highlights = [one for lesson in lessons for one in findings(summaries.of(lesson).slots, ())]
    assert {one.label for one in highlights} >= {"surprise", "happy"}
    assert any(checkins.rounds(lesson) for lesson in lessons)
    engine.dispose()


def test_with_a_camera_of_ones_own_nothing_of_its_room_is_made_up(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'own'}")
    MadeUpSchool("demo", ZONE).fill(engine, THURSDAY.timestamp(), live=False)
    rooms = {row.mood.room for row in Store(engine).latest()}
    assert rooms == {COUNTING, *PAUSED_ROOMS}
    engine.dispose()
