from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.lessons.coverage import coverage
from edge.protocol.messages import Mood
from tests.conftest import mood

START = datetime(2026, 3, 2, 8, 15, tzinfo=timezone.utc)
END = START + timedelta(minutes=10)
PAUSE: dict[str, Any] = {"faces": None, "counts": None, "withheld": "paused", "frames": 0}
BLIND = PAUSE | {"withheld": "no_camera"}


def at(second: float, seq: int = 0, **changes: Any) -> Mood:
    return mood(seq=seq, start=START + timedelta(seconds=second), **changes)


def lesson(*left_out: int, **changes: Any) -> list[Mood]:
    """Ten minutes of 15-second windows, some left out."""
    return [at(15 * n, n, **changes) for n in range(40) if n not in left_out]


def test_a_lesson_that_was_seen_in_full_has_no_gaps() -> None:
    figures = coverage(lesson(), START, END)
    assert (figures.seen, figures.missing, figures.gaps, figures.missing_windows) == (1, 0, [], 0)


def test_a_gap_is_told_with_its_place_and_its_windows() -> None:
    figures = coverage(lesson(10, 11, 12, 30), START, END)
    assert figures.seen == pytest.approx(0.9)
    assert figures.missing == pytest.approx(0.1)
    assert figures.missing_windows == 4
    assert [(gap.start - START, gap.why) for gap in figures.gaps] == [
        (timedelta(seconds=150), "missing"),
        (timedelta(seconds=450), "missing"),
    ]


def test_a_closed_camera_is_told_from_a_broken_one() -> None:
    moods = [at(0, 0, seconds=300.0), at(300, 1, seconds=180.0, **PAUSE)]
    figures = coverage([*moods, at(480, 2, seconds=120.0, **BLIND)], START, END)
    assert (figures.seen, figures.paused, figures.no_camera) == pytest.approx((0.5, 0.3, 0.2))
    assert [gap.why for gap in figures.gaps] == ["paused", "no_camera"]


def test_windows_that_overlap_count_once() -> None:
    again = lesson(boot=uuid4())  # a clock that was set back
    assert coverage([*lesson(), *again], START, END).seen == 1


def test_a_merged_window_stands_for_its_parts() -> None:
    moods = [*lesson(0, 1, 2, 3), at(0, 3, seconds=60.0, windows=4)]
    figures = coverage(moods, START, END)
    assert (figures.seen, figures.missing_windows) == (1, 0)


SPANS = st.lists(
    st.tuples(st.floats(-900, 900), st.floats(0.1, 400), st.sampled_from([{}, PAUSE, BLIND])),
    max_size=30,
)


@given(SPANS)
def test_the_shares_are_a_whole_whatever_arrives(spans: list[tuple[float, float, Any]]) -> None:
    moods = [at(a, n, seconds=b, **kind) for n, (a, b, kind) in enumerate(spans)]
    figures = coverage(moods, START, END)
    shares = (figures.seen, figures.paused, figures.no_camera, figures.missing)
    assert sum(shares) == pytest.approx(1, abs=1e-6)
    assert all(share >= -1e-9 for share in shares)
    assert all(START <= gap.start < gap.end <= END for gap in figures.gaps)
