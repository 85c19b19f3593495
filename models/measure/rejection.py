"""How many of Haar's false faces a pack rejects, and how many true ones it loses for it.

    python -m models.measure.rejection --model fer7 --photos ../shared/data/photos_office \
        --photos ../shared/data/photos_groups --videos ../shared/data/rooms_video

Haar runs with the agent's settings. A detection is true when it shares 0.4 with a true box (area of
intersection over that of union), and false otherwise, even where it holds part of a face.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

from edge.common.errors import UserError
from edge.vision.emotion import crop
from edge.vision.faces import HaarDetector, overlap
from edge.vision.forms import open_fast
from edge.vision.interpreter import TfliteClassifier
from edge.vision.pack import open_pack
from models.data.films import Film
from models.data.photographs import MATCH_OVERLAP, box_of, grey, read_photographs

EVERY = 5
"""Frames of a video are alike: one in five is looked at."""


def frames(photos: tuple[Path, ...], videos: tuple[Path, ...]) -> Iterator[tuple[str, Any, Any]]:
    """(name of the set, grey frame, true boxes) of all photographs and video frames."""
    for folder in photos:
        for photograph in read_photographs(folder):
            yield folder.name, grey(photograph.file), photograph.faces + photograph.loose
    for folder in videos:
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        for film in index["images"]:
            boxes = film.get("faces_per_frame")
            if boxes is not None:
                for at, frame in enumerate(Film(folder / film["file"])):
                    if at % EVERY == 0 and at < len(boxes):
                        yield film["file"], frame, [box_of(box) for box in boxes[at]]


def measure(
    model: str, photos: tuple[Path, ...], videos: tuple[Path, ...]
) -> dict[str, dict[str, list[float]]]:
    """For each set, the model's probability of a face for its 'true' and its 'false' detections."""
    pack, content = open_fast(model)
    classifier = TfliteClassifier(content, pack.input, len(pack.labels))
    haar = HaarDetector()
    scores: dict[str, dict[str, list[float]]] = {}
    for name, frame, true in frames(photos, videos):
        per = scores.setdefault(name, {"true": [], "false": []})
        for box in haar.find(frame):
            face = crop(frame, box, pack.input.margin, pack.input.size)
            kind = "true" if any(overlap(box, t) >= MATCH_OVERLAP for t in true) else "false"
            per[kind].append(float(classifier(face[np.newaxis]).face[0]))
    return scores


def summary(scores: dict[str, dict[str, list[float]]], threshold: float) -> dict[str, Any]:
    """Numbers of true and false detections, and the shares of each below the threshold."""
    rows: dict[str, Any] = {}
    for name, per in [*scores.items(), ("all", _together(scores))]:
        true, false = np.array(per["true"]), np.array(per["false"])
        rows[name] = {
            "true": len(true),
            "true_lost": round(float((true < threshold).mean()), 4) if len(true) else None,
            "false": len(false),
            "false_rejected": round(float((false < threshold).mean()), 4) if len(false) else None,
        }
    return rows


def _together(scores: dict[str, dict[str, list[float]]]) -> dict[str, list[float]]:
    return {
        kind: [score for per in scores.values() for score in per[kind]]
        for kind in ("true", "false")
    }


@click.command()
@click.option("--model", "which", required=True, help="A pack's name or folder.")
@click.option("--photos", type=click.Path(path_type=Path), multiple=True)
@click.option("--videos", type=click.Path(path_type=Path), multiple=True)
@click.option("--json", "as_json", is_flag=True)
def main(which: str, photos: tuple[Path, ...], videos: tuple[Path, ...], as_json: bool) -> None:
    """Prints a row per set."""
    threshold = open_pack(which)[0].face_threshold
    rows = summary(measure(which, photos, videos), threshold)
    if as_json:
        click.echo(json.dumps({"model": which, "threshold": threshold, "sets": rows}))
        return
    click.echo(f"{which}, face threshold {threshold}")
    for name, row in rows.items():
        click.echo(f"{name:>40}: " + ", ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except UserError as error:
        sys.exit(f"roommood: {error}")
