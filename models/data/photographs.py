"""Photographs with a box around each face, as an `index.json` lists them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.common.errors import UserError
from edge.vision.faces import Box

MATCH_OVERLAP = 0.4
"""A detection is of a face when they share at least this much (intersection over union)."""


@dataclass(frozen=True)
class Photograph:
    """faces: the true boxes. loose: boxes that may be faces too, such as the same, drawn wider."""

    file: Path
    faces: list[Box]
    loose: list[Box]
    emotion: str | None


def read_photographs(folder: Path) -> list[Photograph]:
    """The photographs of a folder; raises UserError for one without a fitting `index.json`."""
    index = folder / "index.json"
    try:
        images: list[dict[str, Any]] = json.loads(index.read_text(encoding="utf-8"))["images"]
        return [
            Photograph(
                folder / image["file"],
                [box_of(box) for box in image["faces"]],
                [box_of(box) for box in image.get("faces_loose", [])],
                image.get("emotion"),
            )
            for image in images
            if "faces" in image
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"not an index of photographs ({error})", index, "name its folder"
        ) from None


def box_of(numbers: list[float]) -> Box:
    """A box of an index, rounded to pixels."""
    x, y, width, height = (round(number) for number in numbers)
    return Box(x, y, width, height)


def grey(path: Path) -> NDArray[np.uint8]:
    """A photograph's luma (height, width); raises UserError for one that cannot be read."""
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise UserError("not a readable picture", path, "remove or convert it")
    return np.asarray(picture, np.uint8)
