"""Scores of a model pack on labelled faces, through the runtime that devices use."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.common.errors import UserError
from edge.vision.interpreter import Answers, Classifier
from edge.vision.operating_point import plain
from models.data.faces import Faces
from models.measure.intervals import bootstrap

BATCH = 64
BINS = 15
"""Equal-width confidence bins of the expected calibration error (Guo et al., arXiv 1706.04599)."""

ANSWER_ACCURACY = 0.85
LOST_FACES = 0.01
"""The share of the held-out faces that the face threshold may take for something else."""


@dataclass(frozen=True)
class Scores:
    """Labels of the truth and probabilities of the model for the same N faces."""

    truth: NDArray[np.int64]
    shares: NDArray[np.float32]

    @property
    def right(self) -> NDArray[np.bool_]:
        hits: NDArray[np.bool_] = self.shares.argmax(axis=1) == self.truth
        return hits

    def confusion(self, threshold: float | None = None) -> NDArray[np.int64]:
        """(L, L) counts: rows are the truth, columns what the model said.

        With a threshold (L, L + 1): the last column counts the faces that it leaves `uncertain`.
        """
        size = self.shares.shape[1]
        answers = self.shares.argmax(axis=1)
        if threshold is None:
            return _table(self.truth, answers, size, size)
        answers = np.where(self.shares.max(axis=1) >= threshold, answers, size)
        return _table(self.truth, answers, size, size + 1)

    def accuracy(self) -> float:
        return float(self.right.mean())

    def reliability(self) -> list[dict[str, float]]:
        """For each confidence bin with faces: their number, mean confidence and accuracy."""
        confidence = self.shares.max(axis=1)
        bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
        return [
            {
                "n": int((bins == at).sum()),
                "confidence": round(float(confidence[bins == at].mean()), 4),
                "accuracy": round(float(self.right[bins == at].mean()), 4),
            }
            for at in np.unique(bins)
        ]

    def ece(self) -> float:
        """The expected gap between confidence and accuracy."""
        confidence = self.shares.max(axis=1)
        bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
        gaps = np.bincount(bins, confidence - self.right, minlength=BINS)
        return float(np.abs(gaps).sum() / len(self.truth))

    def ece_by_chance(self, draws: int = 200) -> float:
        """What `ece` comes to on so few faces where every confidence is exactly right, on average.

        An error near it cannot be told from none.
        """
        confidence = self.shares.max(axis=1)
        right = np.random.default_rng(1).random((draws, len(confidence))) < confidence
        bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
        sums = (confidence - right) @ np.eye(BINS)[bins]
        return float(np.abs(sums).sum(axis=1).mean() / len(confidence))

    def only(self, rows: NDArray[Any]) -> Scores:
        return Scores(self.truth[rows], self.shares[rows])


def _table(
    truth: NDArray[np.int64], answers: NDArray[np.intp], rows: int, columns: int
) -> NDArray[np.int64]:
    pairs = truth * columns + answers
    return np.bincount(pairs, minlength=rows * columns).reshape(rows, columns)


def macro(confusion: NDArray[np.int64]) -> dict[str, float]:
    """Balanced accuracy and macro precision, recall and F1 over the labels that occur."""
    hits, per_truth, per_answer = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    mask = per_truth > 0
    recall = hits[mask] / per_truth[mask]
    precision = hits[mask] / np.maximum(per_answer[mask], 1)
    f1 = 2 * hits[mask] / (per_truth[mask] + per_answer[mask])
    return {
        "balanced_accuracy": round(float(recall.mean()), 4),
        "macro_precision": round(float(precision.mean()), 4),
        "macro_recall": round(float(recall.mean()), 4),
        "macro_f1": round(float(f1.mean()), 4),
    }


def predict(classifier: Classifier, pixels: NDArray[np.uint8]) -> tuple[Answers, float]:
    """The model's answers and the microseconds of CPU per face that they took, on one thread."""
    start = time.process_time()
    parts = [classifier(pixels[at : at + BATCH]) for at in range(0, len(pixels), BATCH)]
    us_per_face = (time.process_time() - start) / len(pixels) * 1e6
    return Answers(*(np.concatenate(column) for column in zip(*parts, strict=True))), us_per_face


def temper(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """(N, labels) probabilities as if their logits had been divided by `temperature`."""
    return plain(probabilities.shape[1], temperature, threshold=0).read(probabilities)


def choose(scores: Scores) -> tuple[float, float]:
    """(temperature, threshold) for a pack, chosen on these scores.

    The temperature minimises the log loss. The threshold is the lowest at which those faces that
    are answered are right 85 times in a hundred, but never so high that over a third go unanswered.
    """
    grid = np.geomspace(0.5, 3, 61)
    rows = np.arange(len(scores.truth))

    def loss(temperature: float) -> float:
        return float(-np.log(temper(scores.shares, temperature)[rows, scores.truth]).mean())

    temperature = float(min(grid, key=loss))
    shares = temper(scores.shares, temperature)
    return round(temperature, 3), choose_threshold(Scores(scores.truth, shares))


def choose_threshold(scores: Scores) -> float:
    """As `choose` says, for probabilities that are calibrated."""
    confidence, right = scores.shares.max(axis=1), scores.right
    thresholds = np.arange(0.2, float(np.quantile(confidence, 1 / 3)), 0.01)
    good = [t for t in thresholds if right[confidence >= t].mean() >= ANSWER_ACCURACY]
    threshold = good[0] if good else (thresholds[-1] if len(thresholds) else 0.2)
    return round(float(threshold), 2)


def choose_face_threshold(face: NDArray[np.float32]) -> float:
    """Likelier a face than not; less where that would lose more than `LOST_FACES` of (N,) faces."""
    return min(0.5, round(float(np.quantile(face, LOST_FACES, method="lower")), 3))


FOLD_FIGURES = ("accuracy", "macro_precision", "macro_recall", "macro_f1")
"""What is said of each fold, with its interval."""


def per_fold(scores: Scores) -> dict[str, Any]:
    """`n`, and for each of FOLD_FIGURES its value and 95 % interval over the faces of one fold."""

    def figures(rows: NDArray[Any]) -> dict[str, float]:
        part = scores.only(rows)
        return macro(part.confusion()) | {"accuracy": part.accuracy()}

    everyone = np.arange(len(scores.truth))
    whole = figures(everyone)
    summary: dict[str, Any] = {"n": len(everyone)}
    for name in FOLD_FIGURES:
        low, high = bootstrap(lambda rows, name=name: figures(rows)[name], everyone, 300)  # type: ignore[misc]  # the default binds this figure's name
        summary[name] = {"value": round(whole[name], 4), "interval": [low, high]}
    return summary


def fold_table(folds: list[dict[str, Any]]) -> list[str]:
    """Lines of text: a row for each fold, and their mean with its standard deviation."""
    lines = [f"{'fold':>6}{'n':>7}" + "".join(f"{name:>30}" for name in FOLD_FIGURES)]
    for number, fold in enumerate(folds, 1):
        cells = [
            "{value:.4f} [{interval[0]:.4f}, {interval[1]:.4f}]".format(**fold[name])
            for name in FOLD_FIGURES
        ]
        lines.append(f"{number:>6}{fold['n']:>7}" + "".join(f"{cell:>30}" for cell in cells))
    values = [[fold[name]["value"] for fold in folds] for name in FOLD_FIGURES]
    cells = [f"{np.mean(v):.4f} ± {np.std(v, ddof=1):.4f}" for v in values]
    return [*lines, f"{'mean':>13}" + "".join(f"{cell:>30}" for cell in cells)]


def cross_validate(scores: Scores, folds: int) -> dict[str, Any]:
    """Cross-validation of what is chosen: temperature and threshold from all folds but one.

    `scores` hold what the model says before any temperature; each fold's figures are of faces that
    nothing was chosen on. Mean and standard deviation over the folds.
    """
    if not 2 <= folds <= len(scores.truth):
        raise UserError(
            "out of range",
            f"--folds {folds}",
            f"choose 2 to {len(scores.truth)}, the number of faces",
        )
    parts = np.array_split(np.random.default_rng(1).permutation(len(scores.truth)), folds)
    series: dict[str, list[float]] = {"accuracy": [], "ece": [], "answered": [], "right": []}
    each = []
    for at, part in enumerate(parts):
        temperature, threshold = choose(scores.only(np.concatenate(parts[:at] + parts[at + 1 :])))
        fold_scores = Scores(scores.truth[part], temper(scores.shares[part], temperature))
        sure = fold_scores.shares.max(axis=1) >= threshold
        series["accuracy"].append(fold_scores.accuracy())
        series["ece"].append(fold_scores.ece())
        series["answered"].append(float(sure.mean()))
        series["right"].append(float(fold_scores.right[sure].mean()) if sure.any() else 1.0)
        each.append(per_fold(fold_scores))
    return {"folds": folds, "each": each} | {
        name: {"mean": round(float(np.mean(v)), 4), "sd": round(float(np.std(v, ddof=1)), 4)}
        for name, v in series.items()
    }


def has_truth(faces: Faces, truth: str) -> NDArray[np.bool_]:
    """(N,) the faces that a truth speaks of."""
    if truth == "ferplus" and faces.votes is not None:
        return faces.has_majority()
    return np.ones(len(faces.label), bool)


def score_against(faces: Faces, shares: NDArray[np.float32], truth: str) -> Scores:
    """Scores against a truth: the majority of those who agreed for 'ferplus', else the label."""
    if truth != "ferplus" or faces.votes is None:
        return Scores(faces.label, shares)
    rows = faces.has_majority()
    return Scores(faces.votes[rows].argmax(axis=1), shares[rows])


def report(
    faces: Faces, shares: NDArray[np.float32], labels: tuple[str, ...], truth: str
) -> dict[str, Any]:
    """The figures of docs/contract.md that follow from tempered probabilities (N, labels).

    `truth` is the pack's: 'ferplus', 'fer2013' or 'own'. The FER+ majority's accuracy is beside.
    """
    by_label = score_against(faces, shares, "fer2013")
    by_votes = None if faces.votes is None else score_against(faces, shares, "ferplus")
    scores = by_votes if truth == "ferplus" and by_votes else by_label
    confusion = scores.confusion()
    per_truth, per_answer = confusion.sum(1), confusion.sum(0)
    return {
        "n": len(scores.truth),
        "accuracy": round(scores.accuracy(), 4),
        **macro(confusion),
        "ece": round(scores.ece(), 4),
        "confusion": confusion.tolist(),
        "labels": list(labels),
        "per_label": {
            label: {
                "n": int(per_truth[at]),
                "recall": round(float(confusion[at, at] / max(per_truth[at], 1)), 4),
                "precision": round(float(confusion[at, at] / max(per_answer[at], 1)), 4),
            }
            for at, label in enumerate(labels)
        },
        "reliability": scores.reliability(),
        "truth": "ferplus" if scores is by_votes else "own" if truth == "own" else "fer2013",
        "ferplus_accuracy": None if by_votes is None else round(by_votes.accuracy(), 4),
        "fer2013_accuracy": round(by_label.accuracy(), 4) if truth != "own" else None,
    }
