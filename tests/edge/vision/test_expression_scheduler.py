"""Whose expression is read in a frame, with a model that takes its time."""

from __future__ import annotations

import numpy as np
import pytest

from edge.camera.base import Grey
from edge.vision.emotion import Expressions
from edge.vision.expression_scheduler import FRESH, ExpressionScheduler
from edge.vision.faces import Box
from edge.vision.interpreter import Answers
from edge.vision.operating_point import plain
from edge.vision.seats import Face


def frame(seed: int = 0) -> Grey:
    """Noise: everything moves."""
    return np.random.default_rng(seed).integers(0, 256, (720, 1280), np.uint8)


class Slow:
    """A classifier that always says happy, or that it is no face."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.face = 1.0

    def __call__(self, crops: Grey) -> Answers:
        self.batches.append(len(crops))
        shares = np.tile(np.array([[0.9, 0.1]], np.float32), (len(crops), 1))
        return Answers(shares, np.full(len(crops), self.face, np.float32))


def reading(classifier: Slow, budget_ms: float) -> ExpressionScheduler:
    expressions = Expressions(
        classifier,
        ("happy", "neutral"),
        size=48,
        margin=0,
        point=plain(2, temperature=1, threshold=0.5),
        face_threshold=0.5,
    )
    return ExpressionScheduler(expressions, budget_ms)


FACES = [Face(n, Box(70 * n, 100, 60, 60), True) for n in range(12)]


@pytest.mark.parametrize(("budget", "most"), [(0.0001, 1), (10_000, 12)])
def test_new_faces_are_read_at_once_and_others_in_turn(budget: float, most: int) -> None:
    slow = Slow()
    reader = reading(slow, budget)
    for _ in range(FRESH):
        read, rejects = reader.readings(frame(), FACES)
        assert [one.label for one in read] == ["happy"] * 12
        assert rejects == []
    assert slow.batches == [12]  # what was read lately is believed
    reader.readings(frame(), FACES)
    assert slow.batches == [12, most]
    reader.readings(frame(), FACES)
    assert sum(slow.batches) == (14 if most == 1 else 24)


def test_a_face_that_has_not_moved_is_as_it_was() -> None:
    slow = Slow()
    reader = reading(slow, 10_000)
    still = [face._replace(has_motion=False) for face in FACES]
    reader.readings(frame(), still)
    reader.readings(frame(), still)
    assert slow.batches == [12]


def test_what_was_never_a_face_is_told_and_what_was_one_stays() -> None:
    slow = Slow()
    reader = reading(slow, 10_000)
    reader.readings(frame(), FACES[:1])
    slow.face = 0.1
    read, rejects = reader.readings(frame(), FACES[:2])
    assert ([one.label for one in read], rejects) == (["happy"], [1])


def test_labels_end_with_the_window() -> None:
    slow = Slow()
    reader = reading(slow, 10_000)
    reader.readings(frame(), FACES)
    reader.forget()
    reader.readings(frame(), [face._replace(has_motion=False) for face in FACES])
    assert slow.batches == [12, 12]
