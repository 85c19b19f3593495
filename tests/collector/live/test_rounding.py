from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector.live.rounding import STEP, shown_shares
from collector.live.shares import Share

LABELS = ("happy", "surprise", "neutral", "sad", "fear", "disgust", "angry")


@st.composite
def some_shares(draw: st.DrawFn) -> dict[str, Share]:
    weights = draw(st.lists(st.floats(0, 1), min_size=1, max_size=7))
    whole = sum(weights) or 1.0
    shares = {}
    for label, weight in zip(LABELS, weights, strict=False):
        value = weight / whole
        low = draw(st.floats(0, value))
        high = draw(st.floats(value, 1))
        shares[label] = Share(value=value, low=low, high=high, corrected=False)
    return shares


@given(some_shares())
def test_shown_shares_never_contradict_themselves(shares: dict[str, Share]) -> None:
    rows = shown_shares(shares)
    assert sum(row.percent for row in rows.rows) + rows.others_percent <= 100
    assert {row.label for row in rows.rows} | set(rows.others) == shares.keys()
    for row in rows.rows:
        assert row.low <= row.percent <= row.high
        assert {row.low % STEP, row.percent % STEP, row.high % STEP} == {0}
        assert row.percent >= STEP
        assert abs(row.percent - 100 * shares[row.label].value) < STEP + 0.01
        assert row.low <= 100 * shares[row.label].low + 0.01
        assert row.high >= 100 * shares[row.label].high - 0.01


def test_thirds_sum_to_a_hundred() -> None:
    third = Share(value=1 / 3, low=0.2, high=0.5, corrected=False)
    rows = shown_shares(dict.fromkeys(LABELS[:3], third))
    assert [row.percent for row in rows.rows] == [35, 35, 30]


def test_what_is_near_zero_is_told_together() -> None:
    small = Share(value=0.02, low=0.01, high=0.03, corrected=False)
    large = Share(value=0.9, low=0.7, high=0.95, corrected=False)
    rows = shown_shares({"happy": large, **dict.fromkeys(LABELS[2:], small)})
    assert [(row.label, row.percent) for row in rows.rows] == [("happy", 90)]
    assert (len(rows.others), rows.others_percent) == (5, 10)
