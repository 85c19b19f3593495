"""The operating envelope: accuracy against the size of a face in pixels and against brightness."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.vision.interpreter import Classifier
from models.data.faces import SIDE, Faces
from models.measure.evaluate import predict, score_against

SIZES = (12, 16, 20, 24, 32, 40, 48)
"""Pixels that a face has on the sensor, before it is scaled up to the model's input."""

LIGHTS = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0)
"""Factors on the brightness of a well-exposed face; over 1 the brightest parts are lost."""


def shrink(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Faces (N, 48, 48) as if seen at `size` pixels."""
    if size == SIDE:
        return pixels
    small = [cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA) for face in pixels]
    back = [cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) for face in small]
    return np.asarray(np.stack(back), np.uint8)


def lit(pixels: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """Faces as if the light were `factor` times as strong."""
    brighter: NDArray[np.uint8] = np.clip(np.rint(pixels * np.float32(factor)), 0, 255).astype(
        np.uint8
    )
    return brighter


def envelope(
    classifier: Classifier, faces: Faces, truth: str
) -> dict[str, list[tuple[float, float]]]:
    """Accuracy at each size and at each brightness, as pairs."""

    def accuracy(pixels: NDArray[np.uint8]) -> float:
        return round(
            score_against(faces, predict(classifier, pixels)[0].shares, truth).accuracy(), 4
        )

    return {
        "pixels": [(size, accuracy(shrink(faces.pixels, size))) for size in SIZES],
        "light": [(factor, accuracy(lit(faces.pixels, factor))) for factor in LIGHTS],
    }


READABLE = 0.05
"""How much less accurately a face may be read that is as small as a model can read."""


def smallest_face(classifier: Classifier, faces: Faces, truth: str) -> int:
    """The size in pixels from which on faces are read nearly as well as large ones."""
    scores = {
        size: score_against(faces, predict(classifier, shrink(faces.pixels, size))[0].shares, truth)
        for size in SIZES
    }
    least_accuracy = scores[SIZES[-1]].accuracy() - READABLE
    readable = SIZES[-1]
    for size in reversed(SIZES):
        if scores[size].accuracy() < least_accuracy:
            break
        readable = size
    return readable
