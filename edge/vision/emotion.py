"""Names the expression of every face of a frame, or `uncertain`."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.base import Grey
from edge.protocol.messages import UNCERTAIN
from edge.vision.faces import Box
from edge.vision.interpreter import Classifier, TfliteClassifier
from edge.vision.pack import Pack


def crop(frame: Grey, box: Box, margin: float, size: int) -> Grey:
    """The (size, size) face in `box`, grown by `margin` of it on each side, within the frame.

    A head that leans is turned upright.
    """
    if box.tilt:
        return _upright(frame, box, margin, size)
    dx, dy = int(box.width * margin), int(box.height * margin)
    top, left = max(0, box.y - dy), max(0, box.x - dx)
    bottom, right = box.y + box.height + dy, box.x + box.width + dx
    face = frame[top:bottom, left:right]
    shrinking = face.shape[0] > size
    how = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return cv2.resize(face, (size, size), interpolation=how)  # type: ignore[return-value]  # cv2 types any dtype


def _upright(frame: Grey, box: Box, margin: float, size: int) -> Grey:
    """As `crop`; what would lie outside of the frame is as at its edge."""
    wide, high = (1 + 2 * margin) * box.width, (1 + 2 * margin) * box.height
    # Cut out at the frame's own scale first, since turning alone would not average when shrinking.
    middle = (box.x + box.width / 2, box.y + box.height / 2)
    matrix = np.asarray(cv2.getRotationMatrix2D(middle, -box.tilt, 1), np.float64)
    matrix[:, 2] += (wide / 2 - middle[0], high / 2 - middle[1])
    cut = (max(1, round(wide)), max(1, round(high)))
    turned = cv2.warpAffine(frame, matrix, cut, borderMode=cv2.BORDER_REPLICATE)
    how = cv2.INTER_AREA if cut[1] > size else cv2.INTER_LINEAR
    face = np.asarray(cv2.resize(turned, (size, size), interpolation=how), np.uint8)
    np.asarray(turned).fill(0)
    return face


def tempered(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """(N, labels) probabilities as if their logits had been divided by `temperature`."""
    floor = np.float32(1 / 512)  # an int8 softmax rounds small probabilities to nothing
    raised = np.maximum(probabilities, floor) ** np.float32(1 / temperature)
    shares: NDArray[np.float32] = raised / raised.sum(axis=1, keepdims=True)
    return shares


class Expressions:
    """Reads all faces of a frame."""

    def __init__(
        self,
        classifier: Classifier,
        labels: Sequence[str],
        *,
        size: int,
        margin: float,
        temperature: float,
        threshold: float,
        face_threshold: float = 0,
    ) -> None:
        self._classifier = classifier
        self._labels = tuple(labels)
        self._size = size
        self._margin = margin
        self._temperature = temperature
        self._threshold = threshold
        self._face_threshold = face_threshold

    @classmethod
    def from_pack(cls, pack: Pack, model: bytes) -> Expressions:
        """A reader as the pack says, on the TFLite runtime that is installed."""
        return cls(
            TfliteClassifier(model, pack.input, len(pack.labels)),
            pack.labels,
            size=pack.input.size,
            margin=pack.input.margin,
            temperature=pack.temperature,
            threshold=pack.threshold,
            face_threshold=pack.face_threshold,
        )

    def read(self, frame: Grey, boxes: Sequence[Box]) -> list[str | None]:
        """A label, or `uncertain`, for each box of a (height, width) frame.

        None for a box that holds no face, as far as the model can tell.
        """
        if not boxes:
            return []
        crops = np.stack([crop(frame, box, self._margin, self._size) for box in boxes])
        answers = self._classifier(crops)
        crops.fill(0)  # nothing of a face stays behind
        shares = tempered(answers.shares, self._temperature)
        return [
            self._label(row) if face >= self._face_threshold else None
            for row, face in zip(shares, answers.face, strict=True)
        ]

    def _label(self, shares: NDArray[np.float32]) -> str:
        return self._labels[int(shares.argmax())] if shares.max() >= self._threshold else UNCERTAIN
