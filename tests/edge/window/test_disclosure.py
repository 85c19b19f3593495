from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.protocol.counts import Disclosure, disclose
from edge.protocol.messages import OTHER
from edge.window.disclosure import SteadyDisclosure

CELLS = ("happy", "neutral", "sad", "surprise", "uncertain")


def publish(**counts: int) -> dict[str, int]:
    cells = disclose({name: counts.get(name, 0) for name in CELLS}).counts
    assert cells is not None
    return {name: count for name, count in cells.items() if count}


def test_few_faces_are_withheld_whole() -> None:
    assert disclose({"happy": 4}) == Disclosure(None, None, "few_faces")


def test_large_cells_pass() -> None:
    assert disclose({"happy": 3, "sad": 0, "uncertain": 4}) == Disclosure(
        7, {"happy": 3, "sad": 0, "uncertain": 4}, None
    )


def test_small_cells_are_merged() -> None:
    assert publish(happy=9, sad=2, surprise=2) == {"happy": 9, OTHER: 4}


def test_a_cell_that_would_stand_alone_is_topped_up_from_the_largest() -> None:
    assert publish(happy=9, neutral=4, sad=1) == {"happy": 7, "neutral": 4, OTHER: 3}


def test_uncertain_lends_first() -> None:
    assert publish(happy=9, sad=1, uncertain=5) == {"happy": 9, "uncertain": 3, OTHER: 3}


def test_a_lender_that_would_become_small_is_merged_whole() -> None:
    assert publish(happy=4, sad=1) == {OTHER: 5}


@pytest.mark.parametrize("alone", [1, 2])
def test_how_many_stood_alone_stays_open(alone: int) -> None:
    counts = publish(happy=12 - alone, sad=alone)
    assert counts == {"happy": 9, OTHER: 3}


@given(st.lists(st.integers(0, 12), min_size=5, max_size=5), st.integers(5, 9), st.integers(3, 6))
def test_no_small_cell_is_ever_told(sizes: list[int], min_faces: int, min_cell: int) -> None:
    counts = dict(zip(CELLS, sizes, strict=True))
    disclosure = disclose(counts, max(min_faces, min_cell), min_cell)
    if disclosure.counts is None:
        assert disclosure.withheld == "few_faces"
        assert disclosure.faces is None
        assert sum(sizes) < max(min_faces, min_cell)
        return
    assert disclosure.withheld is None
    assert sum(disclosure.counts.values()) == disclosure.faces == sum(sizes)
    assert not [count for count in disclosure.counts.values() if 0 < count < min_cell]
    assert all(disclosure.counts[name] < disclosure.faces for name in CELLS if name != "uncertain")
    assert all(disclosure.counts[name] <= counts[name] for name in CELLS)


def test_that_all_show_the_same_is_not_told() -> None:
    assert publish(neutral=24) == {"neutral": 21, OTHER: 3}
    assert publish(neutral=5) == {OTHER: 5}
    assert publish(uncertain=9) == {"uncertain": 9}


def mix(steady: SteadyDisclosure, **counts: int) -> dict[str, int]:
    cells = steady.settle({name: counts.get(name, 0) for name in CELLS})
    return {name: count for name, count in cells.items() if count}


def test_expressions_are_told_anew_when_enough_changed() -> None:
    steady = SteadyDisclosure(min_change=5)
    assert mix(steady, happy=10, neutral=10) == {"happy": 10, "neutral": 10}
    assert mix(steady, happy=14, neutral=6) == {"happy": 10, "neutral": 10}
    assert mix(steady, happy=15, neutral=5) == {"happy": 15, "neutral": 5}


@pytest.mark.parametrize("label", CELLS)
def test_who_comes_in_is_counted_alike_whatever_the_face_shows(label: str) -> None:
    steady = SteadyDisclosure(min_change=5)
    before = {"happy": 4, "neutral": 12, "sad": 4}
    assert mix(steady, **before) == before
    after = mix(steady, **(before | {label: before.get(label, 0) + 1}))
    assert after == {"happy": 4, "neutral": 13, "sad": 4}


def test_the_first_few_who_come_in_do_not_become_the_mix() -> None:
    steady = SteadyDisclosure(min_faces=5, min_change=5)
    assert mix(steady, sad=1) == {"sad": 1}  # too few: withheld by `disclose`
    assert mix(steady, happy=3, neutral=2) == {"happy": 3, "neutral": 2}
    assert mix(steady) == {}
    assert mix(steady, sad=4, happy=1) == {"happy": 3, "neutral": 2}


@given(st.lists(st.lists(st.integers(0, 12), min_size=5, max_size=5), min_size=2, max_size=8))
@example([[0, 0, 0, 0, 0], [0, 0, 0, 0, 1]])
def test_what_is_told_is_off_by_fewer_than_min_change(windows: list[list[int]]) -> None:
    steady = SteadyDisclosure(min_change=5)
    for sizes in windows:
        counts = dict(zip(CELLS, sizes, strict=True))
        disclosure = steady.settle(counts)
        assert sum(disclosure.values()) == sum(sizes)
        assert sum(max(0, counts[name] - disclosure[name]) for name in CELLS) < 5
