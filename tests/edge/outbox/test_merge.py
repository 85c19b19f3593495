from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.outbox.merge import LONGEST_S, merge
from edge.protocol.messages import OTHER, UNCERTAIN, Mood, decode
from tests.conftest import mood

pytestmark = pytest.mark.once

LATER = mood().start + timedelta(seconds=15)


def pair(**changes: Any) -> tuple[Mood, Mood]:
    return mood(), mood(**{"seq": 1, "start": LATER} | changes)


def test_two_windows_become_one() -> None:
    both = merge(*pair(faces=16, counts={"happy": 7, "neutral": 6, "uncertain": 3}))
    assert both is not None
    assert (both.seq, both.windows, both.seconds, both.frames) == (1, 2, 30.0, 60)
    assert both.start == mood().start
    assert both.faces == 14
    assert both.counts == {"happy": 6, "neutral": 5, "uncertain": 3}
    assert decode(Mood, both.encode()) == both


def test_withheld_stays_withheld() -> None:
    withheld_fields = {"faces": None, "counts": None, "withheld": "few_faces"}
    both = merge(mood(**withheld_fields), mood(**withheld_fields, seq=1, start=LATER))
    assert both is not None
    assert both.withheld == "few_faces"


@pytest.mark.parametrize(
    "changes",
    [
        {"seq": 2},
        {"boot": uuid4()},
        {"start": LATER + timedelta(minutes=1)},
        {"start": LATER - timedelta(days=1)},
        {"clock": "unsynced"},
        {"model": "f" * 12},
        {"faces": None, "counts": None, "withheld": "paused"},
        {"seconds": LONGEST_S},
    ],
)
def test_what_does_not_belong_together_stays_apart(changes: dict[str, Any]) -> None:
    assert merge(*pair(**changes)) is None


def cells(sizes: list[int]) -> dict[str, int]:
    names = ("happy", "neutral", "sad", UNCERTAIN, OTHER)
    return dict(zip(names, sizes, strict=True))


CELL = st.one_of(st.just(0), st.integers(3, 20))
COUNTS = st.lists(CELL, min_size=5, max_size=5).map(cells).filter(lambda c: sum(c.values()) >= 5)


@given(COUNTS, COUNTS, st.floats(1, 60))
def test_an_average_tells_no_small_cell(
    one: dict[str, int], two: dict[str, int], seconds: float
) -> None:
    first = mood(counts=one, faces=sum(one.values()), seconds=seconds)
    start = first.start + timedelta(seconds=seconds)
    both = merge(first, mood(counts=two, faces=sum(two.values()), seq=1, start=start))
    assert both is not None
    assert both.counts is not None
    assert not [n for n in both.counts.values() if 0 < n < 3]
    low, high = sorted((sum(one.values()), sum(two.values())))
    assert low <= sum(both.counts.values()) <= high
