from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from edge.common.errors import UserError
from edge.protocol.messages import OTHER, UNCERTAIN
from edge.vision.pack import Pack, open_pack
from models.measure.rooms import both, drawn, error
from models.shares import corrected, pack_of


@pytest.fixture
def pack() -> Pack:
    """A pack of two labels that takes three of ten sad faces for neutral, and is unsure of one."""
    shipped, _ = open_pack("fer7")
    return shipped.model_copy(
        update={"labels": ("neutral", "sad"), "confusion": ((900, 50, 50), (300, 600, 100))}
    )


def test_known_errors_are_taken_out(pack: Pack) -> None:
    """A large room, half sad: the model counts 0.6 as neutral, 0.325 as sad."""
    found = corrected({"neutral": 600, "sad": 325, UNCERTAIN: 75}, pack)
    assert found["sad"].value == pytest.approx(0.5, abs=0.02)
    assert found["neutral"].value + found["sad"].value == pytest.approx(1)
    assert found["sad"].low < 0.5 < found["sad"].high


def test_the_interval_holds_the_truth_as_often_as_it_says(pack: Pack) -> None:
    rng = np.random.default_rng(3)
    chances = np.array(pack.confusion) / 1000
    held = 0
    for seed in range(100):
        sad = rng.random(24) < 0.4
        said = Counter(
            ("neutral", "sad", UNCERTAIN)[rng.choice(3, p=chances[int(one)])] for one in sad
        )
        share = corrected({n: said[n] for n in ("neutral", "sad", UNCERTAIN)}, pack, seed=seed)
        held += share["sad"].low <= 0.4 <= share["sad"].high
    assert held >= 88


def test_small_cells_merged_into_other_are_divided_up(pack: Pack) -> None:
    whole = corrected({"neutral": 20, "sad": 0, UNCERTAIN: 4}, pack)
    merged = corrected({"neutral": 20, OTHER: 4}, pack)
    assert set(merged) == set(whole) == {"neutral", "sad"}
    assert 0 < merged["sad"].value < 0.5


def test_the_same_pupils_in_many_windows_are_no_surer(pack: Pack) -> None:
    counts = {"neutral": 1200, "sad": 600, UNCERTAIN: 100}
    lesson, pupils = corrected(counts, pack), corrected(counts, pack, independent=20)
    assert pupils["sad"].high - pupils["sad"].low > 3 * (lesson["sad"].high - lesson["sad"].low)


def test_what_cannot_be_corrected_is_said(pack: Pack) -> None:
    with pytest.raises(UserError, match="no faces"):
        corrected({"neutral": 0}, pack)
    with pytest.raises(UserError, match="bored are of another pack"):
        corrected({"bored": 3}, pack)
    with pytest.raises(UserError, match="no confusion matrix"):
        corrected({"neutral": 3}, pack.model_copy(update={"confusion": ()}))


def test_a_mood_names_its_pack() -> None:
    pack, _ = open_pack("fer7")
    found = pack_of(pack.digest)
    assert found is not None
    assert found.name == "fer7"
    assert pack_of("0" * 12) is None


def test_error_is_the_part_of_the_room_in_the_wrong_place() -> None:
    assert error({"happy": 6, "sad": 6}, {"happy": 6, "sad": 6}) == 0
    assert error({"happy": 9, "sad": 3}, {"happy": 6, "sad": 6}) == pytest.approx(0.25)
    assert error({"happy": 6, UNCERTAIN: 6}, {"happy": 12}) == pytest.approx(0.5)


@pytest.mark.once
def test_corrected_shares_beat_raw_counts_in_drawn_rooms(data: Path) -> None:
    rooms = drawn("fer7", data / "fer2013" / "public_test.npz")[:12]
    raw, better = np.mean([both(*room) for room in rooms], axis=0)
    assert better < 0.85 * raw
