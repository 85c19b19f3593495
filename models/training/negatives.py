"""Crops of photographs that Haar, made careless, takes for faces and that are none.

    python -m models.training.negatives --photos ../shared/data/photos_caltech \
        --photos ../shared/data/photos_voc --out build/negatives.npz

A network learns from them to say 'not a face'. Folders need an `index.json` with a box per face.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
import numpy as np

from edge.common.errors import UserError
from edge.vision.emotion import crop
from edge.vision.faces import HaarDetector, overlap
from models.data.faces import MARGIN, SIDE
from models.data.photographs import grey, read_photographs

APART = 0.15
"""A box that shares more than this with a face (intersection over union) is not surely none."""

PER_PHOTO = 120


@click.command()
@click.option("--photos", type=click.Path(path_type=Path), multiple=True, required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The .npz to write.")
def main(photos: tuple[Path, ...], out: Path) -> None:
    """Writes `pixels` (N, 48, 48)."""
    careless = HaarDetector(scale_factor=1.05, min_detections=0, min_size=20)
    rng = np.random.default_rng(1)
    crops = []
    for folder in photos:
        for photograph in read_photographs(folder):
            frame = grey(photograph.file)
            faces = photograph.faces + photograph.loose
            false = [
                box
                for box in careless.find(frame)
                if all(overlap(box, face) < APART for face in faces)
            ]
            for at in rng.permutation(len(false))[:PER_PHOTO]:
                crops.append(crop(frame, false[at], MARGIN, SIDE))
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out, pixels=np.stack(crops))
    click.echo(f"{out}: {len(crops)} crops that are not faces")


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except UserError as error:
        sys.exit(f"roommood: {error}")
