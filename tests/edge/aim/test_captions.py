"""What the setup view writes beside each face."""

from __future__ import annotations

import numpy as np

from edge.aim.session import captions, picture
from edge.vision.faces import Box

FACES = [Box(20, 40, 60, 60), Box(120, 40, 35, 35)]


def test_a_face_has_its_width_and_where_it_is_read_its_label() -> None:
    assert captions(FACES, []) == ["60", "35"]
    assert captions(FACES, ["happy", None]) == ["60 happy", "35 no face"]


def test_labels_are_drawn_only_where_they_are_read() -> None:
    frame = np.zeros((160, 320), np.uint8)
    plain, read = (picture(frame, FACES, None, labels) for labels in ([], ["happy", "neutral"]))
    assert plain != read
    assert plain == picture(frame, FACES, None)
