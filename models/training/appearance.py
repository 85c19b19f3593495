"""Fits the appearance model of the simulated classroom on FER2013's training split.

Run once, result committed (a few hundred kB):

    python -m models.training.appearance --data ../shared/data/fer2013/train.npz \
        --detector ../shared/data/detectors/face_yunet_n.onnx

Faces on whose expression the voters agree are aligned by their eyes and mouth; identity is the
mean and the principal components of the neutral ones, an expression is what its mean differs by.
Then the seeds are kept whose drawn face, in the classroom, the default detector finds and the
default pack reads as intended with every expression.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera import appearance
from edge.camera.appearance import FILE, SIDE
from edge.camera.classroom import EXPRESSIONS, Moment
from edge.camera.painting import Looks, looks, person, place, room
from edge.common.errors import UserError
from edge.vision.emotion import Expressions
from edge.vision.faces import HaarDetector
from edge.vision.pack import open_pack
from models.data.faces import LABELS, Faces
from models.data.sources import load

COMPONENTS = 48
LIGHT = 4
"""The first components are mostly light from one side: they vary no more than the next one."""

MOST_FACES = 3000
AGREEMENT = {"neutral": 8, "happy": 9, "surprise": 8}
"""How many of ten voters must name the expression."""

CANDIDATES, MOST_SEEDS = 400, 64
"""Seeds tried, and the most that are kept."""

FRAME = 192
LANDMARKS = np.array(
    [[0.315, 0.375], [0.685, 0.375], [0.5, 0.58], [0.355, 0.755], [0.645, 0.755]], np.float32
)
"""Where eyes, nose and mouth corners go, as shares of the drawn face's side."""


def yunet_for(path: Path) -> cv2.FaceDetectorYN:
    """The detector that finds eyes, nose and mouth corners; raises UserError for no such file."""
    if not path.is_file():
        raise UserError("no such file", path, "name a YuNet detector (ONNX)")
    return cv2.FaceDetectorYN.create(str(path), "", (FRAME, FRAME), 0.5)


def landmarks(
    face: NDArray[np.uint8], yunet: cv2.FaceDetectorYN
) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None]:
    """A 48x48 face three times as large with a border, and (5, 2) landmarks in it, or None."""
    edge = (FRAME - 3 * face.shape[0]) // 2
    big = cv2.resize(face, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    big = cv2.copyMakeBorder(big, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
    _, detections = yunet.detect(cv2.cvtColor(big, cv2.COLOR_GRAY2BGR))
    points = None if detections is None else detections[0][4:14].reshape(5, 2).astype(np.float32)
    return np.asarray(big, np.uint8), points


def align(face: NDArray[np.uint8], yunet: cv2.FaceDetectorYN) -> NDArray[np.float32] | None:
    """A 48x48 face as (4096,) with mean 0 and deviation 1, or None if turned or not found."""
    big, points = landmarks(face, yunet)
    if points is None:
        return None
    goal = LANDMARKS * SIDE
    firm = [0, 1, 3, 4]  # the nose moves when a head turns: it tells, but does not guide
    matrix, _ = cv2.estimateAffinePartial2D(points[firm], goal[firm], method=cv2.LMEDS)
    if matrix is None or np.abs(points @ matrix[:, :2].T + matrix[:, 2] - goal).max() > 0.07 * SIDE:
        return None
    patch = cv2.warpAffine(
        big, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    flat = patch.astype(np.float32).reshape(-1)
    deviations: NDArray[np.float32] = (flat - flat.mean()) / max(float(flat.std()), 1e-3)
    return deviations


def align_all(faces: Faces, expression: str, yunet: cv2.FaceDetectorYN) -> NDArray[np.float32]:
    """(N, 4096) aligned faces of one expression, each beside its mirror image."""
    assert faces.votes is not None  # the command has refused faces without votes
    rows = np.flatnonzero(faces.votes[:, LABELS.index(expression)] >= AGREEMENT[expression])
    sample = np.random.default_rng(0).permutation(rows)[:MOST_FACES]
    alignments = [face for row in sample if (face := align(faces.pixels[row], yunet)) is not None]
    once = np.stack(alignments).reshape(-1, SIDE, SIDE)
    both: NDArray[np.float32] = np.concatenate([once, once[:, :, ::-1]])
    return both.reshape(-1, SIDE * SIDE)


def fit(faces: Faces, yunet: cv2.FaceDetectorYN) -> dict[str, NDArray[np.generic]]:
    """The arrays of the model file, without its seeds."""
    neutral = align_all(faces, "neutral", yunet)
    mean = neutral.mean(axis=0)
    deviations = neutral - mean
    values, vectors = np.linalg.eigh(deviations.T @ deviations / len(deviations))
    components = vectors[:, ::-1][:, :COMPONENTS].T
    largest = np.abs(components).max(axis=1, keepdims=True)
    deviation = np.sqrt(values[::-1][:COMPONENTS])
    deviation = np.minimum(deviation, deviation[LIGHT])
    names = [name for name in EXPRESSIONS if name != "neutral"]
    changes = [align_all(faces, name, yunet).mean(axis=0) - mean for name in names]
    return {
        "mean": mean.astype(np.float16),
        "components": np.rint(components / largest * 127).astype(np.int8),
        "scales": (largest[:, 0] / 127 * deviation).astype(np.float32),
        "expressions": np.array(names),
        "changes": np.stack(changes).astype(np.float16),
    }


def reads_right(seed: int, pack: str = "fer7") -> bool:
    """Whether the face of a seed, in the room, is found once and read right in every expression."""
    detector, reader = HaarDetector(), Expressions.from_pack(*open_pack(pack))
    who: Looks = looks(seed, 0)._replace(face=seed)
    for expression in EXPRESSIONS:
        for width in (55.0, 76.0):
            canvas = room()
            place(canvas, person(who, Moment("facing", expression), width), 640, 360)
            grey = cv2.cvtColor(canvas, cv2.COLOR_BGR2GRAY)[200:520, 480:800]
            frame = np.ascontiguousarray(grey, np.uint8)
            readings = reader.read(frame, detector.find(frame))
            if [face and face.label for face in readings] != [expression]:
                return False
    return True


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="train.npz")
@click.option("--detector", type=click.Path(path_type=Path), help="YuNet, ONNX")
def main(data: Path | None, detector: Path | None) -> None:
    """Fits the model, keeps the seeds that read right, and writes the model file.

    Without --data the model stays, and the seeds alone are chosen anew: for a face that is painted
    otherwise.
    """
    parts: dict[str, NDArray[np.generic]]
    if data is None or detector is None:
        with np.load(FILE) as archive:
            parts = {name: archive[name] for name in archive.files if name != "seeds"}
    else:
        faces = load(data)
        faces.has_majority()
        parts = fit(faces, yunet_for(detector))
        np.savez_compressed(FILE, **parts, seeds=np.array([0]))  # looks() needs one to draw from
        appearance.model.cache_clear()
    seeds = [seed for seed in range(CANDIDATES) if reads_right(seed)]
    click.echo(
        f"{len(seeds)} of {CANDIDATES} seeds are read correctly; kept {min(MOST_SEEDS, len(seeds))}"
    )
    np.savez_compressed(FILE, **parts, seeds=np.array(seeds[:MOST_SEEDS]))


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except UserError as error:
        sys.exit(f"roommood: {error}")
