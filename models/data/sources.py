"""Readers of what faces come in.

`.npz` in the layout of the shared `fer2013` (`pixels`, `label`, `votes`), Kaggle's `fer2013.csv`
with or without FER+'s `fer2013new.csv`, a folder tree with a folder of pictures per class, and a
folder of photographs whose `index.json` names the emotion and the box of each face.
"""

from __future__ import annotations

import csv
import re
import zipfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera import PICTURES
from edge.common.errors import UserError
from edge.vision.emotion import crop
from edge.vision.faces import HaarDetector, overlap
from models.data.faces import LABELS, MARGIN, SIDE, Faces, with_votes
from models.data.photographs import MATCH_OVERLAP, grey, read_photographs

ALIASES = {
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}
"""What folders in other copies of FER2013 are called."""

VOTES_FILE = "fer2013new.csv"
VOTERS = (
    "neutral happiness surprise sadness anger disgust fear contempt unknown NF".split()  # noqa: SIM905 - ten words read better so
)
"""FER+'s columns, in the order of its votes."""

OWN_LABEL = re.compile(r"^[a-z][a-z0-9_-]{0,23}$")


def load(path: Path, usage: str | None = None, votes: Path | None = None) -> Faces:
    """Reads labelled faces from any of the layouts; raises UserError naming the file.

    `usage` chooses the rows of a `.csv` that has several: Training, PublicTest or PrivateTest.
    `votes` is FER+'s `fer2013new.csv` for a `.csv`; one that lies beside it is found.
    """
    if not path.exists():
        raise UserError("no such file", path, "name an .npz, a fer2013.csv or a folder of classes")
    if path.is_dir():
        return from_photographs(path) if (path / "index.json").exists() else from_folder(path)
    return from_csv(path, usage, votes) if path.suffix.lower() == ".csv" else from_npz(path)


def from_npz(path: Path) -> Faces:
    """`pixels` (N, 48, 48) uint8, `label` (N,) and perhaps `votes` (N, 10)."""
    try:
        with np.load(path) as archive:
            pixels = archive["pixels"]
            label = archive["label"].astype(np.int64)
            votes = archive.get("votes")
    except KeyError as error:
        raise UserError(f"{error.args[0]}", path, "give it 'pixels' and 'label'") from None
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(f"not a readable .npz ({error})", path, "fetch it again") from None
    if pixels.ndim != 3 or pixels.shape[1:] != (SIDE, SIDE) or pixels.dtype != np.uint8:
        raise UserError(
            f"pixels are {pixels.dtype} {pixels.shape}", path, "store them as uint8 (N, 48, 48)"
        )
    if len(label) != len(pixels) or (votes is not None and votes.shape != (len(pixels), 10)):
        raise UserError(
            f"label or votes do not match its {len(pixels)} faces", path, "give one row per face"
        )
    if len(label) and not 0 <= int(label.min()) <= int(label.max()) < len(LABELS):
        raise UserError(
            f"label {int(label.max())} is out of range", path, f"use 0 to {len(LABELS) - 1}"
        )
    return with_votes(pixels, label, votes)


def _rows(path: Path, columns: set[str], what: str) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"cannot be read ({error})", path, "fetch it again") from None
    if not rows or not columns <= rows[0].keys():
        raise UserError(
            "lacks columns", path, f"give it {' and '.join(sorted(columns))}, as in {what}"
        )
    return rows


def from_csv(path: Path, usage: str | None, votes: Path | None) -> Faces:
    """Kaggle's columns: emotion, pixels (2304 numbers in a string), Usage; FER+'s row by row."""
    rows = _rows(path, {"emotion", "pixels"}, "Kaggle's fer2013.csv")
    beside = path.with_name(VOTES_FILE)
    if votes is None and beside.exists():
        votes = beside
    ten = None if votes is None else _votes(votes, path, len(rows))
    usages = sorted({row.get("Usage") or "" for row in rows})
    if usage is None and len(usages) > 1:
        raise UserError(f"contains {', '.join(usages)}", path, "choose one with --usage")
    if usage is not None and usage not in usages:
        raise UserError(
            f"no row is for {usage}", path, f"choose from {', '.join(usages)} with --usage"
        )
    indices = [at for at, row in enumerate(rows) if usage is None or row.get("Usage") == usage]
    faces = np.empty((len(indices), SIDE, SIDE), np.uint8)
    labels = np.empty(len(indices), np.int64)
    for number, at in enumerate(indices):
        try:
            values = np.array(rows[at]["pixels"].split(), dtype=np.uint8)
            faces[number] = values.reshape(SIDE, SIDE)
            labels[number] = range(len(LABELS))[int(rows[at]["emotion"])]
        except (ValueError, OverflowError, IndexError) as error:
            raise UserError(str(error), f"{path}: row {at + 2}", "fetch the file again") from None
    return with_votes(faces, labels, None if ten is None else ten[indices])


def _votes(path: Path, faces: Path, count: int) -> NDArray[np.int64]:
    """(N, 10) of FER+'s table, whose rows are those of Kaggle's."""
    rows = _rows(path, set(VOTERS), f"FER+'s {VOTES_FILE}")
    if len(rows) != count:
        raise UserError(
            f"{len(rows)} rows for the {count} of {faces}",
            path,
            "use the file that belongs to these faces",
        )
    try:
        return np.array([[int(row[name]) for name in VOTERS] for row in rows], np.int64)
    except (ValueError, TypeError) as error:
        raise UserError(str(error), path, "fetch it again") from None


def from_folder(path: Path) -> Faces:
    """A folder per class. FER2013's names give its seven labels; others are one's own."""
    folders = sorted(part for part in path.iterdir() if part.is_dir())
    names = [ALIASES.get(folder.name.lower(), folder.name.lower()) for folder in folders]
    if len(set(names)) < len(names):
        raise UserError(
            f"two folders mean the same label ({', '.join(sorted(names))})",
            path,
            "keep one of them",
        )
    labels = LABELS if set(names) <= set(LABELS) else tuple(names)
    faces: list[NDArray[np.uint8]] = []
    numbers: list[int] = []
    files: list[str] = []
    for folder, name in zip(folders, names, strict=True):
        if not OWN_LABEL.match(name):
            raise UserError("not a label's name", folder, "use letters, digits, - and _")
        for file in sorted(folder.iterdir()):
            if file.suffix.lower() in PICTURES:
                faces.append(picture(file))
                numbers.append(labels.index(name))
                files.append(str(file.relative_to(path)))
    if not faces:
        raise UserError("contains no pictures", path, "put them in a folder per label")
    return Faces(np.stack(faces), np.array(numbers, np.int64), labels=labels, names=files)


def picture(file: Path) -> NDArray[np.uint8]:
    """A picture of a face as (48, 48) grey."""
    read = grey(file)
    how = cv2.INTER_AREA if read.shape[0] > SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(read, (SIDE, SIDE), interpolation=how), np.uint8)


def from_photographs(path: Path) -> Faces:
    """One face per photograph, cropped where Haar finds it as on a device; others are missed."""
    haar = HaarDetector()
    faces: list[NDArray[np.uint8]] = []
    numbers: list[int] = []
    files: list[str] = []
    photographs = read_photographs(path)
    for photograph in photographs:
        if photograph.emotion not in LABELS:
            raise UserError(
                "'emotion' is not a label",
                f"{path}/index.json: {photograph.file.name}",
                f"use one of {LABELS}",
            )
        frame = grey(photograph.file)
        true = photograph.faces[0]
        box = max(haar.find(frame), key=lambda found: overlap(found, true), default=None)
        if box is not None and overlap(box, true) >= MATCH_OVERLAP:
            faces.append(crop(frame, box, MARGIN, SIDE))
            numbers.append(LABELS.index(photograph.emotion))
            files.append(photograph.file.name)
    if not faces:
        raise UserError(
            f"Haar finds no face in {len(photographs)} photographs",
            path,
            "use photographs with larger faces",
        )
    misses = len(photographs) - len(faces)
    return Faces(np.stack(faces), np.array(numbers), names=files, misses=misses)


HELD_OUT = ("val", "valid", "validation", "test")


def splits(path: Path, votes: Path | None, seed: int) -> tuple[Faces, Faces]:
    """Faces to train on and faces to choose on, from whatever `--data` names.

    A folder with `train.npz` and `public_test.npz`, a `.csv` with Training and PublicTest, a folder
    with `train` and `val` or `test` trees, or one tree, or one file, of which a tenth is held out.
    """
    if (path / "train.npz").exists():
        return load(path / "train.npz"), load(path / "public_test.npz")
    if path.is_dir() and (path / "train").is_dir():
        other = next((path / name for name in HELD_OUT if (path / name).is_dir()), None)
        if other is None:
            raise UserError(f"has 'train' but none of {', '.join(HELD_OUT)}", path, "add one")
        both = load(path / "train"), load(other)
        if both[0].labels != both[1].labels:
            raise UserError(
                f"its folders are not those of {path / 'train'}", other, "use the same names"
            )
        return both
    if path.suffix.lower() == ".csv":
        usages = {row.get("Usage") for row in _rows(path, {"emotion", "pixels"}, "Kaggle's")}
        if {"Training", "PublicTest"} <= usages:
            return load(path, "Training", votes), load(path, "PublicTest", votes)
    faces = load(path, votes=votes)
    tenth = _a_tenth(faces.label, seed)
    rest = np.setdiff1d(np.arange(len(faces.label)), tenth)
    if not len(tenth) or not len(rest):
        raise UserError(
            f"{len(faces.label)} pictures, no two of a label, so nothing can be held out",
            path,
            "add at least one more of each label",
        )
    return faces.only(rest), faces.only(tenth)


def _a_tenth(label: NDArray[np.int64], seed: int) -> NDArray[np.intp]:
    """Rows of a tenth of the faces of each label, of at least one where there are two."""
    rng = np.random.default_rng(seed)
    parts = [rng.permutation(np.flatnonzero(label == one)) for one in np.unique(label)]
    tenths = [part[: max(len(part) // 10, int(len(part) > 1))] for part in parts]
    return np.sort(np.concatenate(tenths))
