from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.protocol.counts import apportion
from edge.window.tally import Tally

LABELS = ("happy", "neutral", "uncertain")


def window(*frames: list[str]) -> dict[str, int]:
    tally = Tally(LABELS)
    for frame in frames:
        tally.add(frame)
    return tally.typical()


def test_counts_are_typical_not_summed() -> None:
    frame = ["happy"] * 4 + ["neutral"] * 2
    assert window(*[frame] * 20) == {"happy": 4, "neutral": 2, "uncertain": 0}


def test_a_missed_face_in_some_frames_does_not_count() -> None:
    full, missed = ["neutral"] * 6, ["neutral"] * 5
    assert window(full, missed, full)["neutral"] == 6


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
