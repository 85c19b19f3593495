"""What is measured: a pack, or a bare file, with the interpreter of this machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.common.errors import UserError
from edge.vision.forms import Form, open_form
from edge.vision.interpreter import Answers, TfliteClassifier
from edge.vision.operating_point import PointName, plain
from edge.vision.pack import Input, Pack, open_pack
from models.data.faces import LABELS, MARGIN, Faces
from models.measure import evaluate as evaluation


class Candidate:
    """A pack, or a bare .tflite file, with the interpreter of this machine.

    `form` is the pack's file that is asked; by default the one that an agent on this machine runs.
    """

    def __init__(self, which: str, form: Form | None = None, point: PointName = "room") -> None:
        self.which = which
        self.content: bytes
        self.form: str
        if which.endswith(".tflite"):
            self.pack: Pack | None = None
            self.content, self.form = _bytes(which), ""
            self.size_bytes = len(self.content)
        else:
            pack, self.content, self.form = open_form(which, form)
            self.pack = pack
            self.size_bytes = len(open_pack(which)[1])  # of the file whose digest is published
        self.labels = self.pack.labels if self.pack else LABELS
        shape = self.pack.input if self.pack else Input(size=48, low=-1, high=1, margin=MARGIN)
        self.classifier = TfliteClassifier(self.content, shape, len(self.labels))
        self.point = self.pack.point(point) if self.pack else plain(len(self.labels), 1, 0)

    def truth(self, faces: Faces) -> str:
        """The pack's truth as far as these faces carry it."""
        truth = self.pack.truth if self.pack else "ferplus"
        return truth if truth != "ferplus" or faces.votes is not None else "fer2013"

    def answers(self, faces: Faces) -> tuple[Answers, float]:
        """What it says before any temperature, and microseconds per face."""
        if faces.labels != self.labels:
            raise UserError(
                f"knows {', '.join(self.labels)}, but the data is labelled "
                f"{', '.join(faces.labels)}",
                self.which,
                "use data with its labels",
            )
        return evaluation.predict(self.classifier, faces.pixels)

    def shares(self, answers: Answers) -> NDArray[np.float32]:
        """(N, labels) probabilities at the operating point."""
        return self.point.read(answers.shares)


def _bytes(which: str) -> bytes:
    try:
        return Path(which).read_bytes()
    except OSError as error:
        raise UserError(
            f"cannot be read ({error.strerror})", which, "name a .tflite file"
        ) from None
