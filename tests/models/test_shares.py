from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from edge.common.errors import UserError
from edge.protocol.messages import OTHER, UNCERTAIN
from edge.vision.operating_point import OperatingPoint
from edge.vision.pack import Pack, open_pack
from models.data.sources import load
from models.measure.candidate import Candidate
from models.measure.drawn_rooms import draw
from models.measure.evaluate import score_against
from models.measure.rooms import error
from models.shares import pack_of, shares


@pytest.fixture
def pack() -> Pack:
    """A pack of two labels, whose shares scatter twice as much as chance would have it."""
    point = OperatingPoint(
        weights=((1, 0), (0, 1)), offsets=(0, 0), usual=(0.75, 0.25), threshold=0.5, spread=2
    )
    pack, _ = open_pack("fer7")
    return pack.model_copy(update={"labels": ("neutral", "sad"), "room": point})


def test_what_a_device_estimated_is_not_corrected_again(pack: Pack) -> None:
    estimate = shares({"neutral": 600, "sad": 400, UNCERTAIN: 0}, pack)
    assert estimate["sad"].value == pytest.approx(0.4)
    assert estimate["neutral"].value == pytest.approx(0.6)


def test_the_interval_holds_the_truth_as_often_as_it_says(pack: Pack) -> None:
    """Shares that scatter as the pack says: with half as many faces as there are."""
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(200):
        sad = 24 * rng.binomial(12, 0.4) / 12
        share = shares({"neutral": 24 - sad, "sad": sad}, pack)["sad"]
        hits += share.low <= 0.4 <= share.high
    assert hits >= 180


def test_hidden_faces_are_divided_up(pack: Pack) -> None:
    estimate = shares({"neutral": 20, "sad": 0, OTHER: 4}, pack)
    assert estimate["sad"].value == pytest.approx(4 / 24)
    unsure = shares({"neutral": 15, "sad": 5, UNCERTAIN: 4}, pack)
    assert unsure["sad"].value == pytest.approx(0.25)
    assert shares({OTHER: 9}, pack)["sad"].value == pytest.approx(0.25)


def test_a_lesson_of_the_same_pupils_is_no_more_certain_than_they_are_many(pack: Pack) -> None:
    counts = {"neutral": 3000.0, "sad": 600.0, UNCERTAIN: 0.0}
    lesson, pupils = shares(counts, pack), shares(counts, pack, faces=20)
    assert pupils["sad"].value == pytest.approx(lesson["sad"].value)
    assert pupils["sad"].high - pupils["sad"].low > 3 * (lesson["sad"].high - lesson["sad"].low)


def test_counts_that_are_not_of_this_pack_are_refused(pack: Pack) -> None:
    with pytest.raises(UserError, match="no faces"):
        shares({"neutral": 0}, pack)
    with pytest.raises(UserError, match="bored are of another pack"):
        shares({"bored": 3}, pack)


def test_a_mood_names_its_pack() -> None:
    pack, _ = open_pack("fer7")
    pack_name = pack_of(pack.digest)
    assert pack_name is not None
    assert pack_name.name == "fer7"
    assert pack_of("0" * 12) is None


def test_error_is_the_part_of_the_room_in_the_wrong_place() -> None:
    assert error({"happy": 6, "sad": 6}, {"happy": 6, "sad": 6}) == 0
    assert error({"happy": 9, "sad": 3}, {"happy": 6, "sad": 6}) == pytest.approx(0.25)
    assert error({"happy": 6, UNCERTAIN: 6}, {"happy": 12}) == pytest.approx(0.5)


def test_estimated_shares_beat_labels_in_drawn_rooms(data: Path) -> None:
    """On few faces; `python -m models.measure.rooms` prints the figure on all."""
    candidate = Candidate("fer7", point="votes")
    faces = load(data / "fer2013" / "public_test.npz").only(np.arange(500))
    answers, _ = candidate.answers(faces)
    scores = score_against(faces, candidate.shares(answers), "ferplus")
    errors = []
    for one in draw(scores, candidate.labels, candidate.point.threshold, rooms=100):
        labels = Counter(reading.label for reading in one.readings)
        tally = one.tally(candidate.labels, candidate.point.usual)
        errors.append((error(labels, one.true), error(tally.typical(), one.true)))
    by_label, by_share = np.mean(errors, axis=0)
    assert by_share < 0.85 * by_label
