"""Evaluates the file that ships, through the interpreter that devices use."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.emotion import tempered
from edge.interpreter import Classifier
from models.data import Faces

BATCH = 64
BINS = 15
"""Equal-width confidence bins of the expected calibration error (Guo et al., arXiv 1706.04599)."""


@dataclass(frozen=True)
class Scores:
    """Labels of the truth and probabilities of the model for the same N faces."""

    truth: NDArray[np.int64]
    shares: NDArray[np.float32]

    def confusion(self) -> NDArray[np.int64]:
        """(L, L) counts: rows are the truth, columns what the model said."""
        size = self.shares.shape[1]
        pairs = self.truth * size + self.shares.argmax(axis=1)
        return np.bincount(pairs, minlength=size * size).reshape(size, size)

    def accuracy(self) -> float:
        return float((self.shares.argmax(axis=1) == self.truth).mean())

    def ece(self) -> float:
        """The expected gap between confidence and accuracy."""
        confidence = self.shares.max(axis=1)
        right = self.shares.argmax(axis=1) == self.truth
        bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
        gaps = np.bincount(bins, confidence - right, minlength=BINS)
        return float(np.abs(gaps).sum() / len(right))


def predict(classifier: Classifier, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    """(N, labels) probabilities and the microseconds per face they took."""
    begun = time.perf_counter()
    parts = [classifier(pixels[at : at + BATCH]) for at in range(0, len(pixels), BATCH)]
    return np.concatenate(parts), (time.perf_counter() - begun) / len(pixels) * 1e6


def choose(scores: Scores) -> tuple[float, float]:
    """(temperature, threshold) for a pack, chosen on these scores.

    The temperature minimises the log loss. The threshold is the lowest at which those faces that
    are answered are right 85 times in a hundred, but never so high that over a third go unanswered.
    """
    grid = np.geomspace(0.5, 3, 61)
    rows = np.arange(len(scores.truth))

    def loss(temperature: float) -> float:
        return float(-np.log(tempered(scores.shares, temperature)[rows, scores.truth]).mean())

    temperature = float(min(grid, key=loss))
    shares = tempered(scores.shares, temperature)
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == scores.truth
    thresholds = np.arange(0.2, float(np.quantile(confidence, 1 / 3)), 0.01)
    good = [t for t in thresholds if right[confidence >= t].mean() >= 0.85]
    threshold = good[0] if good else (thresholds[-1] if len(thresholds) else 0.2)
    return round(temperature, 3), round(float(threshold), 2)


def scored(faces: Faces, shares: NDArray[np.float32], truth: str) -> Scores:
    """Scores against a truth: the majority of those who agreed for 'ferplus', else the label."""
    if truth != "ferplus" or faces.votes is None:
        return Scores(faces.label, shares)
    agreed = faces.agreed()
    return Scores(faces.votes[agreed].argmax(axis=1), shares[agreed])


def report(
    faces: Faces, shares: NDArray[np.float32], labels: tuple[str, ...], truth: str
) -> dict[str, Any]:
    """The figures of docs/contract.md that follow from tempered probabilities (N, labels).

    `truth` is the pack's, 'ferplus' or 'fer2013'; accuracy by the FER+ majority is beside it.
    """
    labelled = scored(faces, shares, "fer2013")
    voted = None if faces.votes is None else scored(faces, shares, "ferplus")
    scores = voted if truth == "ferplus" and voted else labelled
    confusion = scores.confusion()
    hits = confusion.diagonal()
    per_truth, per_answer = confusion.sum(axis=1), confusion.sum(axis=0)
    seen = per_truth > 0
    recall = hits[seen] / per_truth[seen]
    f1 = 2 * hits[seen] / (per_truth[seen] + per_answer[seen])
    return {
        "n": len(scores.truth),
        "accuracy": round(scores.accuracy(), 4),
        "balanced_accuracy": round(float(recall.mean()), 4),
        "macro_f1": round(float(f1.mean()), 4),
        "ece": round(scores.ece(), 4),
        "confusion": confusion.tolist(),
        "labels": list(labels),
        "truth": "ferplus" if scores is voted else "fer2013",
        "ferplus_accuracy": None if voted is None else round(voted.accuracy(), 4),
        "fer2013_accuracy": round(labelled.accuracy(), 4),
    }
