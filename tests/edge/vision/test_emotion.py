from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge.camera.base import Grey
from edge.protocol.messages import UNCERTAIN
from edge.vision.emotion import Expressions, crop
from edge.vision.faces import Box
from edge.vision.interpreter import Answers
from edge.vision.operating_point import plain
from edge.window.reading import UNREADABLE, FaceReading

LABELS = ("happy", "sad")


class FixedInterpreter:
    """A classifier that answers what it was told, and remembers the batches it was given."""

    def __init__(self, rows: Sequence[Sequence[float]], face: Sequence[float] = ()) -> None:
        self._rows = np.array(rows, np.float32)
        self._face = np.array(face or [1.0] * len(rows), np.float32)
        self.batches: list[tuple[int, ...]] = []

    def __call__(self, crops: Grey) -> Answers:
        self.batches.append(crops.shape)
        return Answers(self._rows[: len(crops)], self._face[: len(crops)])


def reader(classifier: FixedInterpreter, threshold: float = 0.6) -> Expressions:
    return Expressions(
        classifier,
        LABELS,
        size=48,
        margin=0.1,
        point=plain(2, temperature=1, threshold=threshold),
        face_threshold=0.5,
    )


def labels(readings: Sequence[FaceReading | None]) -> list[str | None]:
    return [reading and reading.label for reading in readings]


FRAME = np.zeros((200, 300), np.uint8)


def test_all_faces_of_a_frame_go_in_one_batch() -> None:
    expressions = FixedInterpreter([[0.9, 0.1], [0.2, 0.8], [0.55, 0.45]])
    boxes = [Box(0, 0, 50, 50), Box(100, 20, 90, 90), Box(250, 150, 60, 60)]
    assert labels(reader(expressions).read(FRAME, boxes)) == ["happy", "sad", UNCERTAIN]
    assert expressions.batches == [(3, 48, 48)]


def test_what_is_no_face_is_not_counted() -> None:
    expressions = FixedInterpreter([[0.9, 0.1], [0.2, 0.8]], face=[0.3, 0.7])
    assert labels(reader(expressions).read(FRAME, [Box(0, 0, 50, 50), Box(60, 0, 50, 50)])) == [
        None,
        "sad",
    ]


def test_what_leans_has_to_be_a_face_for_certain() -> None:
    boxes = [Box(0, 0, 50, 50), Box(60, 0, 50, 50, -22.0), Box(120, 0, 50, 50, 22.0)]
    expressions = FixedInterpreter([[0.9, 0.1]] * 3, face=[0.9, 0.9, 0.99])
    assert labels(reader(expressions).read(FRAME, boxes)) == ["happy", None, "happy"]


def test_a_frame_without_faces_costs_nothing() -> None:
    expressions = FixedInterpreter([])
    assert reader(expressions).read(FRAME, []) == []
    assert expressions.batches == []


def test_a_crop_reaches_past_the_box_but_not_the_frame() -> None:
    frame = np.zeros((100, 100), np.uint8)
    frame[40:60, 40:60] = 255
    assert crop(frame, Box(40, 40, 20, 20), 0.0, 48).min() == 255
    patch = crop(frame, Box(40, 40, 20, 20), 0.5, 48)
    assert patch[0, 0] == 0
    assert patch[24, 24] == 255
    assert crop(frame, Box(90, 90, 40, 40), 0.5, 48).shape == (48, 48)
    assert crop(frame, Box(0, 0, 100, 100), 0.5, 48).shape == (48, 48)


def test_a_face_that_nobody_could_read_has_no_shares() -> None:
    expressions = FixedInterpreter([[0.8, 0.2], [0.55, 0.45]])
    first, second = reader(expressions).read(FRAME, [Box(0, 0, 50, 50), Box(60, 0, 50, 50)])
    assert first is not None
    assert first.shares == bytes([204, 51])
    assert second == UNREADABLE
