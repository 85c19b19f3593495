"""Labelled 48x48 faces for training and evaluation.

Reads `.npz` in the layout of the shared `fer2013` (`pixels`, `label`, `votes`), Kaggle's
`fer2013.csv`, and a folder tree with a folder of pictures per class. The votes are FER+'s, of ten
people (Barsoum et al., arXiv 1608.01041).
"""

from __future__ import annotations

import csv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera import PICTURES
from edge.errors import Refusal

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""The seven labels of FER2013, in its order; every pack of the project names them so."""

ALIASES = {
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}
"""What folders in other copies of the data are called."""

VOTE_COLUMNS = (4, 5, 6, 1, 3, 2, 0)
"""For each of LABELS, its column in `votes`; contempt, unknown and not-a-face have no label."""

MIN_VOTES = 5
"""A face counts for the FER+ truth when at least this many of ten people chose one of the seven."""

SIDE = 48


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


def load(path: Path, usage: str | None = None) -> Faces:
    """Reads labelled faces from any of the layouts; raises Refusal naming the file.

    `usage` chooses the rows of a `.csv` that has several: Training, PublicTest or PrivateTest.
    """
    if not path.exists():
        raise Refusal(f"{path}: no such file: give an .npz, a fer2013.csv or a folder of classes")
    if path.is_dir():
        return _from_folder(path)
    return _from_csv(path, usage) if path.suffix.lower() == ".csv" else _from_npz(path)


def _from_npz(path: Path) -> Faces:
    try:
        with np.load(path) as archive:
            pixels = archive["pixels"]
            label = archive["label"].astype(np.int64)
            votes = archive.get("votes")
    except KeyError as error:
        raise Refusal(f"{path}: {error.args[0]}: it needs 'pixels' and 'label'") from None
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise Refusal(f"{path}: not a readable .npz ({error}): fetch it again") from None
    if pixels.ndim != 3 or pixels.shape[1:] != (SIDE, SIDE) or pixels.dtype != np.uint8:
        raise Refusal(f"{path}: pixels are {pixels.dtype} {pixels.shape}, not uint8 (N, 48, 48)")
    if len(label) != len(pixels) or (votes is not None and votes.shape != (len(pixels), 10)):
        raise Refusal(f"{path}: label or votes do not match its {len(pixels)} faces")
    if len(label) and int(label.max()) >= len(LABELS):
        raise Refusal(f"{path}: label {int(label.max())} is none of 0 to {len(LABELS) - 1}")
    seven = None if votes is None else votes[:, VOTE_COLUMNS].astype(np.float32)
    return Faces(pixels, label, seven)


def _from_csv(path: Path, usage: str | None) -> Faces:
    """Kaggle's columns: emotion, pixels (2304 numbers in a string), Usage."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Refusal(f"{path}: cannot be read ({error}): fetch it again") from None
    if not rows or not {"emotion", "pixels"} <= rows[0].keys():
        raise Refusal(f"{path}: it needs the columns emotion and pixels, as Kaggle's fer2013.csv")
    known = sorted({row.get("Usage") or "" for row in rows})
    if usage is None and len(known) > 1:
        raise Refusal(f"{path}: holds {', '.join(known)}: choose one with --usage")
    if usage is not None and usage not in known:
        raise Refusal(f"{path}: no row is for {usage}; it holds {', '.join(known)}")
    chosen = [row for row in rows if usage is None or row.get("Usage") == usage]
    faces = np.empty((len(chosen), SIDE, SIDE), np.uint8)
    labels = np.empty(len(chosen), np.int64)
    for number, row in enumerate(chosen):
        try:
            values = np.array(row["pixels"].split(), dtype=np.uint8)
            faces[number] = values.reshape(SIDE, SIDE)
            labels[number] = range(len(LABELS))[int(row["emotion"])]
        except (ValueError, OverflowError, IndexError) as error:
            raise Refusal(f"{path}: row {number + 2}: {error}: fetch the file again") from None
    return Faces(faces, labels, None)


def _from_folder(path: Path) -> Faces:
    faces: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for folder in sorted(part for part in path.iterdir() if part.is_dir()):
        name = ALIASES.get(folder.name.lower(), folder.name.lower())
        if name not in LABELS:
            raise Refusal(f"{folder}: no label is called so: name it one of {', '.join(LABELS)}")
        for file in sorted(folder.iterdir()):
            if file.suffix.lower() not in PICTURES:
                continue
            picture = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
            if picture is None:
                raise Refusal(f"{file}: not a picture that can be read: remove or convert it")
            small = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            faces.append(np.asarray(small, np.uint8))
            labels.append(LABELS.index(name))
    if not faces:
        raise Refusal(f"{path}: holds no pictures in folders named after {', '.join(LABELS)}")
    return Faces(np.stack(faces), np.array(labels, np.int64), None)
