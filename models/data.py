"""Labelled 48x48 faces for training and evaluation.

Reads the layout of `fer2013` as `.npz`: `pixels` (N, 48, 48) uint8, `label` (N,) uint8 and
`votes` (N, 10) uint8, the FER+ votes of ten people (Barsoum et al., arXiv 1608.01041).
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import Refusal

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""The seven labels of FER2013, in its order; every pack of the project names them so."""

VOTE_COLUMNS = (4, 5, 6, 1, 3, 2, 0)
"""For each of LABELS, its column in `votes`; contempt, unknown and not-a-face have no label."""

MIN_VOTES = 5
"""A face counts for the FER+ truth when at least this many of ten people chose one of the seven."""


@dataclass(frozen=True)
class Faces:
    """Faces with both truths.

    pixels: (N, 48, 48) uint8. label: (N,) int64, FER2013's. votes: (N, 7) float32 in the order of
    LABELS, or None where the file has none.
    """

    pixels: NDArray[np.uint8]
    label: NDArray[np.int64]
    votes: NDArray[np.float32] | None

    def agreed(self) -> NDArray[np.bool_]:
        """(N,) whether enough people chose one of the seven labels for the FER+ truth to hold."""
        if self.votes is None:
            raise Refusal("these faces carry no FER+ votes: use an .npz that has 'votes'")
        enough: NDArray[np.bool_] = self.votes.sum(axis=1) >= MIN_VOTES
        return enough


def load(path: Path) -> Faces:
    """Reads an `.npz` of faces; raises Refusal naming the file."""
    try:
        with np.load(path) as archive:
            pixels = archive["pixels"]
            label = archive["label"].astype(np.int64)
            votes = archive.get("votes")
    except FileNotFoundError:
        raise Refusal(f"{path}: no such file: give the .npz with --data") from None
    except KeyError as error:
        raise Refusal(f"{path}: {error.args[0]}: it needs 'pixels' and 'label'") from None
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise Refusal(f"{path}: not a readable .npz ({error}): fetch it again") from None
    if pixels.ndim != 3 or pixels.shape[1:] != (48, 48) or pixels.dtype != np.uint8:
        raise Refusal(f"{path}: pixels are {pixels.dtype} {pixels.shape}, not uint8 (N, 48, 48)")
    if len(label) != len(pixels) or (votes is not None and votes.shape != (len(pixels), 10)):
        raise Refusal(f"{path}: label or votes do not match its {len(pixels)} faces")
    if len(label) and int(label.max()) >= len(LABELS):
        raise Refusal(f"{path}: label {int(label.max())} is none of 0 to {len(LABELS) - 1}")
    seven = None if votes is None else votes[:, VOTE_COLUMNS].astype(np.float32)
    return Faces(pixels, label, seven)
