from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.protocol.counts import apportion
from edge.window.estimate import estimate
from edge.window.reading import UNIT, FaceReading
from edge.window.tally import Tally
from tests.readings import readings

LABELS = ("happy", "neutral", "uncertain")
FIRST_LABELS = LABELS[:2]


def window(*frames: list[str]) -> dict[str, int]:
    tally = Tally(FIRST_LABELS)
    for frame in frames:
        tally.add(readings(frame))
    return tally.typical()


def test_counts_are_typical_not_summed() -> None:
    frame = ["happy"] * 4 + ["neutral"] * 2
    assert window(*[frame] * 20) == {"happy": 4, "neutral": 2, "uncertain": 0}


def test_a_missed_face_in_some_frames_does_not_count() -> None:
    full, shorter = ["neutral"] * 6, ["neutral"] * 5
    assert window(full, shorter, full)["neutral"] == 6


def test_a_false_face_in_one_frame_does_not_count() -> None:
    full = ["neutral"] * 6
    assert sum(window(full, [*full, "happy"], full).values()) == 6


def test_a_room_half_and_half_over_time_is_told_so() -> None:
    assert window(["happy"] * 8, ["neutral"] * 8) == {"happy": 4, "neutral": 4, "uncertain": 0}


def test_an_empty_window_counts_nobody() -> None:
    assert window() == {"happy": 0, "neutral": 0, "uncertain": 0}
    assert window([], []) == {"happy": 0, "neutral": 0, "uncertain": 0}


@given(st.lists(st.lists(st.sampled_from(LABELS), max_size=40), max_size=30))
def test_counts_sum_to_the_median_of_faces(frames: list[list[str]]) -> None:
    faces = sorted(len(frame) for frame in frames)
    counts = window(*frames)
    assert all(count >= 0 for count in counts.values())
    if frames:
        assert faces[(len(faces) - 1) // 2] <= sum(counts.values()) <= faces[len(faces) // 2]


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 500), min_size=1), st.integers(0, 60))
def test_apportioned_numbers_stay_within_one_of_their_share(
    weights: dict[str, int], total: int
) -> None:
    shares = apportion(weights, total)
    whole = sum(weights.values())
    assert sum(shares.values()) == (total if whole else 0)
    for name, share in shares.items():
        assert whole == 0 or abs(share - weights[name] * total / whole) < 1


def unsure(happy: float) -> FaceReading:
    return FaceReading("neutral", bytes([round(UNIT * happy), round(UNIT * (1 - happy))]))


def test_doubts_about_single_faces_are_weighed_for_the_room() -> None:
    """Each of twelve is likelier neutral, and some of them are happy all the same."""
    tally = Tally(FIRST_LABELS, (0.5, 0.5))
    for _ in range(30):
        tally.add([unsure(0.9)] * 4 + [unsure(0.45)] * 4 + [unsure(0.1)] * 4)
    counts = tally.typical()
    assert sum(counts.values()) == 12
    assert 5 <= counts["happy"] <= 7


def test_a_sure_room_is_counted_as_it_is() -> None:
    tally = Tally(FIRST_LABELS, (0.5, 0.5))
    tally.add([unsure(0.99)] * 9 + [unsure(0.01)] * 3)
    assert tally.typical() == {"happy": 9, "neutral": 3, "uncertain": 0}


def test_a_face_adds_one_to_the_sums_of_noise_mode_whatever_it_shows() -> None:
    tally = Tally(FIRST_LABELS, (0.5, 0.5))
    tally.add([unsure(0.3), unsure(0.8), FaceReading("uncertain")])
    sums = tally.sums()
    assert sum(sums.values()) == pytest.approx(3)
    assert sums["happy"] == pytest.approx(1.1, abs=0.01)
    assert sums["uncertain"] == 1


def test_nothing_of_a_face_is_left_once_the_window_is_told() -> None:
    tally = Tally(FIRST_LABELS)
    tally.add([unsure(0.77)] * 20)
    shares = tally._shares
    view = memoryview(shares)
    before = bytes(view)
    view.release()
    tally.clear()
    assert before != bytes(len(before))
    assert tally._shares is shares
    assert bytes(shares) == b""
    assert tally.frames == 1
    assert sum(tally.typical().values()) == 0 or tally.shares() == dict.fromkeys(LABELS, 0.0)


@given(
    st.lists(st.lists(st.floats(0.001, 1), min_size=3, max_size=3), min_size=1, max_size=40),
    st.lists(st.floats(0.0, 1), min_size=3, max_size=3),
)
def test_estimated_shares_are_shares(rows: list[list[float]], usual: list[float]) -> None:
    readings_of = {bytes(round(UNIT * value / sum(row)) for value in row): 1.0 for row in rows}
    shares = estimate(readings_of, usual, len(rows))
    assert sum(shares) == pytest.approx(1)
    assert min(shares) > 0
