from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from edge.common.clock import BUILD_TIME, Trust, WallClock

EPOCH = datetime(1970, 1, 1, 0, 3, tzinfo=timezone.utc)
LESSON = datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)


def clock(at: datetime, trust: Trust, *files: Path) -> WallClock:
    return WallClock(*files, system=lambda: at, clock_trust=lambda: trust)


def test_a_clock_that_was_set_is_believed() -> None:
    assert clock(LESSON, "synced").now() == (LESSON, "synced")
    assert not clock(LESSON, "synced").is_lost()


def test_one_that_may_be_right_is_told_as_it_is() -> None:
    assert clock(LESSON, "unsynced").now() == (LESSON, "unsynced")


@pytest.mark.parametrize("trust", ["synced", "unsynced"])
def test_nobody_believes_1970(trust: Trust) -> None:
    late_clock = clock(EPOCH, trust)
    at, verdict = late_clock.now()
    assert verdict == "unsynced"
    assert BUILD_TIME <= at < BUILD_TIME + timedelta(minutes=1)
    assert late_clock.is_lost()


def test_it_is_later_than_what_was_written_before(tmp_path: Path) -> None:
    file = tmp_path / "outbox.sqlite"
    file.touch()
    os.utime(file, (LESSON.timestamp(), LESSON.timestamp()))
    at, verdict = clock(EPOCH, "unsynced", file, tmp_path / "missing").now()
    assert (at - LESSON) / timedelta(seconds=1) == pytest.approx(0, abs=5)
    assert verdict == "unsynced"


def test_it_goes_on_from_the_floor() -> None:
    late_clock = clock(EPOCH, "unsynced")
    first = late_clock.now().at
    assert late_clock.now().at >= first


def test_a_leap_day_and_the_end_of_summer_time_are_moments_like_others() -> None:
    for at in (
        datetime(2028, 2, 29, 23, 59, 59, tzinfo=timezone.utc),
        datetime(2026, 10, 25, 0, 59, 59, tzinfo=timezone.utc),
    ):
        assert clock(at, "synced").now().at == at
