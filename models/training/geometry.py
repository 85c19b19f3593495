"""How far a crop must reach past Haar's box to frame a face as the training faces are framed.

    python -m models.training.geometry --data ../shared/data/fer2013/train.npz \
        --photos ../shared/data/photos_caltech --detector ../shared/data/detectors/face_yunet_n.onnx

Compares the distance of the eyes, as YuNet finds them, as a share of a training face's side and as
a share of Haar's box on photographs, and prints the margin that makes them equal.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from edge.common.errors import UserError
from edge.vision.emotion import crop
from edge.vision.faces import HaarDetector
from models.data.photographs import grey
from models.data.sources import load
from models.training.appearance import landmarks, yunet_for

MOST = 1500


def eye_distance(face: NDArray[np.uint8], yunet: cv2.FaceDetectorYN) -> float | None:
    """Between the eyes, as a share of the side of a 48x48 face; None where no face is found."""
    _, points = landmarks(face, yunet)
    if points is None:
        return None
    return float(np.hypot(*(points[1] - points[0]))) / (3 * face.shape[0])


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True, help="train.npz")
@click.option("--photos", type=click.Path(path_type=Path), required=True, help="A folder.")
@click.option("--detector", type=click.Path(path_type=Path), required=True, help="YuNet, ONNX")
def main(data: Path, photos: Path, detector: Path) -> None:
    """Prints both distances and the margin."""
    yunet = yunet_for(detector)
    training_distances = [eye_distance(face, yunet) for face in load(data).pixels[:MOST]]
    haar = HaarDetector()
    boxes = []
    for path in sorted(photos.glob("*.jpg")):
        frame = grey(path)
        boxes += [eye_distance(crop(frame, box, 0.0, 48), yunet) for box in haar.find(frame)]
    in_training = float(np.median([d for d in training_distances if d is not None]))
    in_box = float(np.median([d for d in boxes if d is not None]))
    click.echo(f"eyes, as a share of the side: {in_training:.3f} of a training face")
    click.echo(f"                              {in_box:.3f} of Haar's box")
    click.echo(f"margin on each side: {(in_box / in_training - 1) / 2:.3f}")


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except UserError as error:
        sys.exit(f"roommood: {error}")
