"""A clock that was wrong, by days and either way, hides nothing: newer is by number, everywhere."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import uuid4

import pytest

from collector.lessons.coverage import coverage
from collector.lessons.occupancy import FILLS_S, OccupancyDetector
from collector.live.rooms import Rooms
from collector.storage.database import connect
from collector.storage.store import Store
from edge.protocol.messages import Mood
from tests.collector.school import OWN, School
from tests.conftest import mood

STEP = timedelta(seconds=15)
AHEAD = timedelta(days=1)


def windows(
    count: int, wrong: int, by: timedelta, begin: datetime, boot: bool = False
) -> list[Mood]:
    """Of one run, or of two: those from `wrong` on for a while are dated wrongly."""
    other = uuid4()
    moods = []
    for seq in range(count):
        off = by if wrong <= seq < wrong + 3 else timedelta()
        identity = {"boot": other} if boot and seq >= wrong + 3 else {}
        moods.append(mood(seq=seq, start=begin + seq * STEP + off, **identity))
    return moods


@pytest.mark.parametrize("by", [AHEAD, timedelta(hours=4), -AHEAD])
@pytest.mark.parametrize("boot", [False, True])
def test_the_page_shows_what_came_after_a_wrong_clock(by: timedelta, boot: bool) -> None:
    rooms = Rooms()
    begin = datetime.now(timezone.utc) - timedelta(hours=1)
    moods = windows(100, 40, by, begin, boot)
    for one in moods:
        arrival = begin + one.seq * STEP + STEP
        assert rooms.update_mood(one, arrival.timestamp()), one.seq
    rows = rooms.windows(*OWN)
    assert rooms.view(*OWN).mood == moods[-1]
    assert {one.start for one in rows} >= {one.start.timestamp() for one in moods[:40] + moods[43:]}
    assert [one.start for one in rows] == sorted(one.start for one in rows)


def test_hours_of_a_wrong_clock_do_not_push_out_those_of_a_right_one() -> None:
    rooms = Rooms()
    begin = datetime.now(timezone.utc) - timedelta(hours=3)
    for seq in range(600):
        one = mood(seq=seq, start=begin + seq * STEP + (AHEAD if seq < 500 else timedelta()))
        rooms.update_mood(one, (begin + (seq + 1) * STEP).timestamp())
    assert len(rooms.windows(*OWN)) == 100


@pytest.mark.parametrize("boot", [False, True])
def test_after_a_restart_it_is_the_newest_by_number_too(boot: bool, tmp_path: Path) -> None:
    begin = datetime.now(timezone.utc) - timedelta(minutes=30)
    moods = windows(100, 40, AHEAD, begin, boot)
    engine = connect(f"sqlite:///{tmp_path}/c.sqlite")
    for one in moods:
        Store(engine).add([one])
    engine.dispose()
    with School(tmp_path) as school:
        assert school.service.rooms.view(*OWN).mood == moods[-1]
        assert len(school.service.rooms.windows(*OWN)) == 97


def test_a_lesson_is_found_and_has_its_windows_all_the_same(tmp_path: Path) -> None:
    begin = datetime.now(timezone.utc) - timedelta(minutes=20)
    moods = windows(80, 10, AHEAD, begin)
    presence = OccupancyDetector()
    for one in moods:
        presence.add(one, (begin + (one.seq + 1) * STEP).timestamp())
    change, at = presence.change(False)
    assert change == "began"
    assert begin.timestamp() <= at <= moods[-1].start.timestamp() - FILLS_S + 30
    engine = connect(f"sqlite:///{tmp_path}/c.sqlite")
    store = Store(engine)
    store.add(moods)
    now = datetime.fromtimestamp(time.time(), timezone.utc)
    assert len(store.reaching(*OWN, begin, now)) == 77
    # Nor are they tomorrow's, who sat there then.
    tomorrow = store.reaching(*OWN, begin + AHEAD, now + AHEAD)
    assert tomorrow == []
    assert coverage(tomorrow, begin + AHEAD, now + AHEAD).missing == 1.0
    engine.dispose()


def test_our_own_clock_set_back_makes_no_window_one_from_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = connect(f"sqlite:///{tmp_path}/c.sqlite")
    store = Store(engine)
    begin = datetime.now(timezone.utc)
    store.add([mood(seq=0, start=begin)])
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() - 86_400)
    store.add([mood(seq=1, start=begin + STEP)])
    assert len(store.reaching(*OWN, begin, begin + AHEAD)) == 2
    monkeypatch.setattr(time, "time", lambda: right() - 400 * 86_400)  # it was the first one
    store.add([mood(seq=2, start=begin - timedelta(days=400))])
    (last,) = [one for one in store.latest() if one.mood.seq == 2]
    assert abs(last.received - time.time()) < 3600
    engine.dispose()


def test_a_backlog_that_comes_after_a_restart_is_drawn_once(tmp_path: Path) -> None:
    begin = datetime.now(timezone.utc) - timedelta(minutes=30)
    moods = windows(100, 40, timedelta(), begin)
    engine = connect(f"sqlite:///{tmp_path}/c.sqlite")
    Store(engine).add([*moods[:20], *moods[40:]])
    engine.dispose()
    with School(tmp_path) as school:
        school.store.add(moods[20:40])
        for one in moods[20:40]:
            school.service.rooms.update_mood(one, time.time())
        rows = school.service.rooms.windows(*OWN)
        assert [one.seq for one in rows] == list(range(100))
