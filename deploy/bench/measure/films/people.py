"""People for films made from a seed: cut out of portraits, or drawn where there are none.

`faces_london` (DeBruine & Jones 2017, CC BY 4.0) is read where it lies and never copied. Its people
are parted in two halves, so that what is chosen on one is reported on the other.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.classroom import Moment
from edge.camera.painting import looks, person
from edge.common.errors import UserError
from edge.vision.faces import Box
from models.data.photographs import box_of

Half = Literal["develop", "report"]

SIDE = 450
"""Of a portrait as it is kept, pixels; a face in it is about a third as wide."""

CUT = 225
"""Side of the portrait that is cut out of its background, pixels: a tenth of a second each."""

BELOW = 300
"""Rows that the shirt goes on for below the portrait: somebody who walks has no lower edge."""

LAYERS = 3

FACE_WIDTH = 150.0
"""Width of a drawn face, pixels."""


class Layer(NamedTuple):
    """Luma and opacity of the same shape."""

    luma: NDArray[np.uint8]
    alpha: NDArray[np.float32]


class Portrait(NamedTuple):
    """One person with one expression: whole, half as large, a quarter ...; and where the face is.

    Shrunk by averaging, as a lens and a sensor would.
    """

    layers: tuple[Layer, ...]
    face: Box
    expression: str


Portraits = Callable[[int, str], Portrait]
"""The portrait of a person, by number, with an expression that the set has."""


class Cast(NamedTuple):
    """Whom a film may show, and how they may look."""

    portrait: Portraits
    people: int
    expressions: tuple[str, ...]


def drawn_cast(seed: int) -> Cast:
    """People who do not exist, as in the simulated classroom."""

    @lru_cache(maxsize=128)
    def portrait(number: int, expression: str) -> Portrait:
        sprite = person(looks(seed, number), Moment("facing", expression), FACE_WIDTH)
        opaque = 1 - sprite.through[:, :, 0]
        colour = sprite.colour / np.maximum(opaque, 1e-3)[:, :, np.newaxis]
        luma = cv2.cvtColor(np.clip(colour, 0, 255).astype(np.uint8), cv2.COLOR_BGR2GRAY)
        side = round(FACE_WIDTH)
        face = Box(round(-sprite.left - side / 2), round(-sprite.top - side / 2), side, side)
        return _portrait(np.asarray(luma, np.uint8), opaque.astype(np.float32), face, expression)

    return Cast(portrait, 1000, ("neutral", "happy", "surprise"))


def london(folder: Path, half: Half, seed: int) -> Cast:
    """One half of the people of `faces_london`, in an order that the seed gives.

    Raises UserError for a folder that is not as that one.
    """
    images = _of_half(folder, half)
    people = sorted({person for person, _ in images})
    order = random.Random(f"people {seed}").sample(people, len(people))

    @lru_cache(maxsize=128)
    def portrait(number: int, expression: str) -> Portrait:
        image = images[order[number % len(order)], expression]
        whole = cv2.imread(str(folder / image["file"]))
        if whole is None:
            raise UserError("cannot be read", folder / image["file"], "fetch the folder again")
        shade = random.Random(f"shirt {seed}/{number}").uniform(0.25, 1)
        cut = _cut_out(np.asarray(whole, np.uint8), box_of(image["faces"][0]), shade, expression)
        # More people than the half has: who comes twice is seen in a mirror.
        return cut if (number // len(order)) % 2 == 0 else _mirror(cut)

    return Cast(portrait, 2 * len(order), ("neutral", "happy"))


def _of_half(folder: Path, half: Half) -> dict[tuple[str, str], dict[str, Any]]:
    index = folder / "index.json"
    try:
        images = json.loads(index.read_text(encoding="utf-8"))["images"]
        people = sorted({image["person"] for image in images})
        persons = set(people[0::2] if half == "develop" else people[1::2])
        return {
            (image["person"], image["emotion"]): image
            for image in images
            if image["person"] in persons
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"not an index of portraits ({error})", index, "give --faces the folder faces_london"
        ) from None


def _cut_out(whole: NDArray[np.uint8], face: Box, shade: float, expression: str) -> Portrait:
    """Head and shoulders without what is behind them, the white shirt in a shade of its own."""
    scale = SIDE / whole.shape[0]
    image = cv2.resize(whole, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    small = cv2.resize(whole, (CUT, CUT), interpolation=cv2.INTER_AREA)
    mask = _outline(tuple(CUT / whole.shape[0] * part for part in face[:4]))
    cv2.setRNGSeed(1)
    cv2.grabCut(
        small, mask, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK
    )
    inside = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    soft = np.clip((cv2.GaussianBlur(inside, (0, 0), 1.2) - 0.35) / 0.5, 0, 1)
    alpha = cv2.resize(soft, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    luma = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    box = box_of([scale * part for part in face[:4]])
    shirt = luma[box.y + box.height :]
    shirt *= np.where(shirt > 150, shade, 1.0)
    return _portrait(luma.astype(np.uint8), alpha, box, expression)


def _outline(face: tuple[float, ...]) -> NDArray[np.uint8]:
    """What surely is a person, what may be hair, and what is not, for `cv2.grabCut`."""
    x, y, width, height = face
    rows, columns = np.mgrid[:CUT, :CUT].astype(np.float32)
    across, down = columns - x - width / 2, rows - y - height / 2

    def ellipse(a: float, b: float, lower: float = 0) -> NDArray[np.bool_]:
        return cast(
            "NDArray[np.bool_]",
            (across / (a * width)) ** 2 + ((down - lower * height) / (b * height)) ** 2 < 1,
        )

    shoulders, neck = ellipse(1.3, 0.72, 1.35), (np.abs(across) < 0.3 * width) & (down > 0)
    beside = (np.abs(across) < 0.6 * width) & (down > 0)
    mask = np.full((CUT, CUT), cv2.GC_PR_BGD, np.uint8)
    mask[ellipse(0.85, 0.85, -0.05)] = cv2.GC_PR_FGD
    mask[~(ellipse(1.0, 0.95, -0.05) | shoulders | beside)] = cv2.GC_BGD
    mask[ellipse(0.46, 0.5) | shoulders | neck] = cv2.GC_FGD
    return mask


def _portrait(
    luma: NDArray[np.uint8], alpha: NDArray[np.float32], face: Box, expression: str
) -> Portrait:
    below = ((0, BELOW), (0, 0))
    layers = [Layer(np.pad(luma, below, mode="edge"), np.pad(alpha, below, mode="edge"))]
    for _ in range(LAYERS - 1):
        last = layers[-1]
        size = (last.luma.shape[1] // 2, last.luma.shape[0] // 2)
        layers.append(
            Layer(
                np.asarray(cv2.resize(last.luma, size, interpolation=cv2.INTER_AREA), np.uint8),
                np.asarray(cv2.resize(last.alpha, size, interpolation=cv2.INTER_AREA), np.float32),
            )
        )
    return Portrait(tuple(layers), face, expression)


def _mirror(portrait: Portrait) -> Portrait:
    layers = tuple(
        Layer(np.ascontiguousarray(one.luma[:, ::-1]), np.ascontiguousarray(one.alpha[:, ::-1]))
        for one in portrait.layers
    )
    left = layers[0].luma.shape[1] - portrait.face.x - portrait.face.width
    return Portrait(layers, portrait.face._replace(x=left), portrait.expression)
