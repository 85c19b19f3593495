"""Labelled 48x48 faces for training and evaluation.

Two truths: FER2013's own labels, and FER+'s votes of ten people (Barsoum et al., arXiv 1608.01041).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.common.errors import UserError

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""The seven labels of FER2013, in its order; the shipped packs name them so."""

VOTE_COLUMNS = (4, 5, 6, 1, 3, 2, 0)
"""For each of LABELS, its column in `votes`; contempt, unknown and not-a-face have no label."""

NOT_A_FACE = 9
"""The column of `votes` for 'there is no face in it'."""

MIN_VOTES = 5
"""A face counts for the FER+ truth when at least this many of ten people chose one of the seven."""

SIDE = 48

MARGIN = 0.05
"""How far crops reach past Haar's boxes, so that they frame a face as FER2013's crops do:
measured by `python -m models.training.geometry`, on training faces and photographs."""


@dataclass(frozen=True)
class Faces:
    """Faces with both truths.

    pixels: (N, 48, 48) uint8. label: (N,) int64, an index of `labels`. votes: (N, 7) float32 in
    the order of LABELS, or None where the source has none. not_face: (N,) bool, what most people
    said is no face, or None likewise. names: the pictures' paths, where they have one. missed:
    photographs in which the detector found no face.
    """

    pixels: NDArray[np.uint8]
    label: NDArray[np.int64]
    votes: NDArray[np.float32] | None = None
    not_face: NDArray[np.bool_] | None = None
    labels: tuple[str, ...] = LABELS
    names: list[str] = field(default_factory=list)
    misses: int = 0

    def has_majority(self) -> NDArray[np.bool_]:
        """(N,) whether enough people chose one of the seven labels for the FER+ truth to hold."""
        if self.votes is None:
            raise UserError(
                "these faces have no FER+ votes",
                "data",
                "use an .npz with 'votes', or --votes with FER+'s fer2013new.csv, or "
                "--truth fer2013",
            )
        enough: NDArray[np.bool_] = self.votes.sum(axis=1) >= MIN_VOTES
        return enough

    def only(self, rows: NDArray[Any]) -> Faces:
        """Those rows, by index or by mask."""
        return Faces(
            self.pixels[rows],
            self.label[rows],
            None if self.votes is None else self.votes[rows],
            None if self.not_face is None else self.not_face[rows],
            self.labels,
            [self.names[at] for at in np.arange(len(self.label))[rows]] if self.names else [],
        )


def with_votes(
    pixels: NDArray[np.uint8], label: NDArray[np.int64], ten: NDArray[Any] | None
) -> Faces:
    """Faces with FER+'s ten columns of votes, which become seven and 'not a face'."""
    if ten is None:
        return Faces(pixels, label)
    return Faces(
        pixels,
        label,
        ten[:, VOTE_COLUMNS].astype(np.float32),
        np.asarray(ten[:, NOT_A_FACE] * 2 > ten.sum(axis=1), np.bool_),
    )
