from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from edge.protocol.messages import OTHER, UNCERTAIN
from edge.window.disclosure import SMALL, SteadyDisclosure
from edge.window.small_room import Rounding, round_cells, without_small
from edge.window.tally import Tally
from tests.readings import readings

NAMES = ("happy", "neutral", "sad", "surprise", UNCERTAIN)


def minute(**mixture: float) -> Counter[str]:
    """What is told in twelve windows of eight faces, summed."""
    rounding, totals = Rounding(3), Counter[str]()
    for _ in range(12):
        counts = rounding.counts(dict.fromkeys(NAMES, 0.0) | mixture, 8)
        assert sum(counts.values()) == 8
        totals.update(counts)
    return totals


def test_numbers_are_right_on_average_and_never_small() -> None:
    totals = minute(neutral=5, happy=1.6, surprise=1.4)
    assert totals["neutral"] == 5 * 12
    assert abs(totals["happy"] / 12 - 1.6) < 0.15
    assert abs(totals["surprise"] / 12 - 1.4) < 0.15


def test_what_one_face_shows_is_not_told() -> None:
    totals = minute(neutral=7, sad=1)
    assert totals["sad"] == 0
    assert totals[OTHER] > 0


def test_that_all_show_the_same_is_not_told() -> None:
    totals = minute(neutral=8)
    assert totals["neutral"] > 0
    assert totals[OTHER] >= 3 * 12
    assert minute(**{UNCERTAIN: 8}) == {UNCERTAIN: 96, **dict.fromkeys((*NAMES[:4], OTHER), 0)}


mixtures = st.lists(st.floats(0, 1), min_size=5, max_size=5).filter(lambda some: sum(some) > 0.1)


@given(mixtures, st.integers(5, SMALL), st.integers(3, 5))
def test_no_small_cell_is_ever_told(mixture: list[float], faces: int, min_cell: int) -> None:
    rounding = Rounding(min_cell)
    by_name = dict(zip(NAMES, mixture, strict=True))
    large_cells = without_small(by_name, faces, min_cell)
    for _ in range(8):
        counts = rounding.counts(by_name, faces)
        assert sum(counts.values()) == faces
        assert not [n for n in counts.values() if 0 < n < min_cell]
        assert all(counts[name] < faces for name in NAMES[:4])
        assert not [name for name in NAMES if counts[name] and not large_cells[name]]


@given(mixtures, st.integers(6, SMALL))
def test_a_minute_of_numbers_is_near_the_mixture(mixture: list[float], faces: int) -> None:
    rounding = Rounding(3)
    by_name = dict(zip(NAMES, mixture, strict=True))
    expectation = without_small(by_name, faces, 3)
    if max(expectation.values()) > faces - 3 or faces < 9:
        return  # where all but a few show the same, three at least are told otherwise
    sums: Counter[str] = Counter()
    for _ in range(24):
        sums.update(rounding.counts(by_name, faces))
    away = sum(abs(sums[name] / 24 - n) for name, n in expectation.items()) / 2
    assert away < 1.5


def test_rounding_takes_what_is_nearest() -> None:
    weights = {"happy": 3.4, "neutral": 4.6, OTHER: 0.0}
    assert round_cells(weights, 8, 3) == {"happy": 3, "neutral": 5, OTHER: 0}
    assert round_cells(weights, 5, 3) == {"happy": 0, "neutral": 0, OTHER: 5}


def window(**counts: int) -> Tally:
    tally = Tally(NAMES[:4])
    tally.add(readings(name for name, n in counts.items() for _ in range(n)))
    return tally


def test_a_small_room_hears_something_true() -> None:
    """A class of eight used to hear 'other' and nothing else."""
    steady, totals = SteadyDisclosure(), Counter[str]()
    for _ in range(4):
        totals.update(steady.decide(window(neutral=5, happy=2, surprise=1)).counts or {})
    assert totals["neutral"] >= 16
    assert totals["happy"] > 0
    assert totals["surprise"] == 0


def test_a_small_room_is_told_anew_when_a_third_has_changed() -> None:
    steady = SteadyDisclosure()
    for _ in range(4):
        steady.decide(window(neutral=9, happy=3))
    before = [steady.decide(window(neutral=6, happy=6)).counts for _ in range(4)]
    assert all(counts and counts.get("neutral", 0) >= 8 for counts in before)
    after = [steady.decide(window(neutral=5, happy=7)).counts for _ in range(4)]
    assert sum((counts or {}).get("happy", 0) for counts in after) > 4 * 4


def test_who_comes_into_a_small_room_is_told_as_the_others_are() -> None:
    counts = []
    for last in ("happy", "sad"):
        steady = SteadyDisclosure()
        steady.decide(window(neutral=6, happy=3))
        counts.append(
            steady.decide(window(**Counter({"neutral": 6, "happy": 3}) + Counter([last])))
        )
    assert counts[0] == counts[1]
    assert counts[0].faces == 10
