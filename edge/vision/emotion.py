"""Reads the expression of every face of a frame, as probabilities and as the label they make."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from edge.camera.base import Grey
from edge.vision.faces import Box
from edge.vision.interpreter import Classifier, TfliteClassifier
from edge.vision.operating_point import OperatingPoint, PointName
from edge.vision.pack import Pack
from edge.window.reading import FaceReading, face_reading

LEANS = 0.95
"""What is found leaning has to be a face so surely: a search at more angles finds more that is
none, such as pictures on a shelf. Leaning faces of the bench's films, people of the developing
half, are surer than that."""


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
    patch = cv2.warpAffine(frame, matrix, cut, borderMode=cv2.BORDER_REPLICATE)
    how = cv2.INTER_AREA if cut[1] > size else cv2.INTER_LINEAR
    face = np.asarray(cv2.resize(patch, (size, size), interpolation=how), np.uint8)
    np.asarray(patch).fill(0)
    return face


class Expressions:
    """Reads all faces of a frame."""

    def __init__(
        self,
        classifier: Classifier,
        labels: Sequence[str],
        *,
        size: int,
        margin: float,
        point: OperatingPoint,
        face_threshold: float = 0,
    ) -> None:
        self._classifier = classifier
        self._labels = tuple(labels)
        self._size = size
        self._margin = margin
        self._point = point
        self._face_threshold = face_threshold

    @classmethod
    def from_pack(cls, pack: Pack, model: bytes, point: PointName = "room") -> Expressions:
        """A reader as the pack says, on the TFLite runtime that is installed."""
        return cls(
            TfliteClassifier(model, pack.input, len(pack.labels)),
            pack.labels,
            size=pack.input.size,
            margin=pack.input.margin,
            point=pack.point(point),
            face_threshold=pack.face_threshold,
        )

    def _threshold(self, box: Box) -> float:
        """How likely a face has to be one; a pack whose model does not say asks for nothing."""
        leans = box.tilt and self._face_threshold
        return max(self._face_threshold, LEANS) if leans else self._face_threshold

    def read(self, frame: Grey, boxes: Sequence[Box]) -> list[FaceReading | None]:
        """A reading for each box of a (height, width) frame.

        None for a box that holds no face, as far as the model can tell.
        """
        if not boxes:
            return []
        crops = np.stack([crop(frame, box, self._margin, self._size) for box in boxes])
        answers = self._classifier(crops)
        crops.fill(0)  # nothing of a face stays behind
        shares = self._point.read(answers.shares)
        readings = [
            face_reading(row, self._labels, self._point.threshold)
            if face >= self._threshold(box)
            else None
            for row, face, box in zip(shares.tolist(), answers.face, boxes, strict=True)
        ]
        shares.fill(0)
        answers.shares.fill(0)
        return readings
