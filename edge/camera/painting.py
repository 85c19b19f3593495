"""Paints the simulated classroom: a wall with windows, desks, and people with drawn faces."""

from __future__ import annotations

import colorsys
import random
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.appearance import draw, model
from edge.camera.classroom import Classroom, Moment, SeatPosition

Picture = NDArray[np.uint8]
Colour = tuple[float, float, float]

DARKEST, GLOW = 0.7, 0.2
"""How far a face's shade and light go from the colour of its skin."""

OPEN = {"neutral": 0.95, "happy": 0.7, "surprise": 1.25}
"""How wide eyes are with an expression."""

LUMA = np.array((0.114, 0.587, 0.299), np.float32)
LIPS = np.array((0.75, 0.66, 1.6), np.float32) / (np.array((0.75, 0.66, 1.6)) @ LUMA)
BLUSH = np.array((0.12, 0.06, -0.08), np.float32)
IRIS, LID = (38, 48, 62), (44, 52, 66)
"""Colours are BGR; lips are as dark as the face is there, and redder."""

FINE = 4
"""People are painted this many times larger and scaled down, for smooth edges."""


class Sprite(NamedTuple):
    """A painted person: premultiplied colour, and how much of the room shows through."""

    colour: NDArray[np.float32]
    through: NDArray[np.float32]
    left: int
    top: int


class Looks(NamedTuple):
    """What a person keeps for the whole lesson."""

    face: int
    skin: Colour
    hair: Colour
    shirt: Colour
    long_hair: bool


def looks(seed: int, seat: int) -> Looks:
    rng = random.Random(f"looks {seed}/{seat}")
    seeds = model().seeds
    order = random.Random(f"faces {seed}").sample(range(len(seeds)), len(seeds))
    face = seeds[order[seat % len(seeds)]]
    depth = rng.uniform(0.0, 1.0)
    skin = (118 + 52 * depth, 146 + 48 * depth, 186 + 44 * depth)
    dark = rng.uniform(0.15, 0.6)
    hair = (70 * dark + 12, 90 * dark + 14, 130 * dark + 16)
    red, green, blue = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.3, 0.55), 0.62)
    return Looks(face, skin, hair, (255 * blue, 255 * green, 255 * red), rng.random() < 0.5)


def _ellipse(
    canvas: Any, centre: tuple[float, float], axes: tuple[float, float], *fill: float
) -> None:
    point = (int(centre[0]), int(centre[1]))
    cv2.ellipse(canvas, point, (int(axes[0]), int(axes[1])), 0, 0, 360, fill, -1, cv2.LINE_AA)


def person(who: Looks, pose: Moment, width: float) -> Sprite:
    """Head and shoulders around a face `width` pixels wide, its centre at (0, 0)."""
    unit = width * FINE
    rows, columns = int(unit * 3.0), int(unit * 2.6)
    cx, cy = columns / 2, unit * 1.05
    body = np.zeros((rows, columns, 4), np.uint8)
    hair, skin, shirt = (*who.hair, 255.0), (*who.skin, 255.0), (*who.shirt, 255.0)
    shade = (*(0.78 * part for part in who.skin), 255.0)
    if who.long_hair:
        _ellipse(body, (cx, cy + 0.25 * unit), (0.62 * unit, 0.95 * unit), *hair)
    _ellipse(body, (cx, cy + 1.72 * unit), (1.12 * unit, 0.78 * unit), *shirt)
    cv2.rectangle(
        body,
        (int(cx - 0.2 * unit), int(cy + 0.4 * unit)),
        (int(cx + 0.2 * unit), int(cy + 0.98 * unit)),
        shade,
        -1,
    )
    _ellipse(body, (cx, cy + 0.98 * unit), (0.26 * unit, 0.14 * unit), *shade)
    _ellipse(body, (cx, cy - 0.17 * unit), (0.57 * unit, 0.68 * unit), *hair)
    if pose.pose == "turned":
        _ellipse(body, (cx, cy), (0.52 * unit, 0.66 * unit), *hair)
    else:
        _ellipse(body, (cx, cy + 0.06 * unit), (0.48 * unit, 0.62 * unit), *skin)
        _face(body, who, pose.expression, cx, cy + 0.1 * unit, unit)
    small = cv2.resize(body, (columns // FINE, rows // FINE), interpolation=cv2.INTER_AREA)
    pixels = small.astype(np.float32)
    alpha = pixels[:, :, 3:] / 255
    return Sprite(pixels[:, :, :3], 1 - alpha, -int(cx / FINE), -int(cy / FINE))


def _face(body: Any, who: Looks, expression: str, cx: float, cy: float, unit: float) -> None:
    """Blends a drawn face into the head: its light and shade, in the colour of the skin."""
    side = int(unit * 1.06)
    relief = draw(who.face, expression)
    relief = relief + (
        relief - cv2.GaussianBlur(relief, (0, 0), 2.0)
    )  # a mean face is a blurred one
    relief = 0.3 * cv2.resize(relief, (side, side), interpolation=cv2.INTER_CUBIC)
    # Neither holes where it is darkest nor glare where it is brightest.
    dents = np.where(relief < 0, DARKEST * np.tanh(relief / DARKEST), GLOW * np.tanh(relief / GLOW))
    light = (1.0 + dents).astype(np.float32)[:, :, np.newaxis]
    pixels = np.array(who.skin, np.float32) * light
    mouth, cheeks = _regions(side)
    red = np.clip((0.9 - light) / 0.4, 0, 1) * mouth * 0.5
    pixels = pixels * (1 - red) + (pixels @ LUMA)[:, :, np.newaxis] * LIPS * red
    blush = cheeks * (0.6 if expression == "happy" else 0.3)
    pixels = np.clip(pixels * (1 - blush * BLUSH), 0, 255).astype(np.uint8)
    _eyes(pixels, who, OPEN[expression])
    top, left = int(cy - side / 2), int(cx - side / 2)
    part = body[top : top + side, left : left + side]
    mask = _mask(side)
    part[:, :, :3] = (part[:, :, :3] * (1 - mask) + pixels * mask).astype(np.uint8)


def _eyes(face: Any, who: Looks, wide: float) -> None:
    """Whites, irises and lids: without them nobody looks back."""
    side = face.shape[0]
    size = 0.035 * side
    white = tuple(min(0.35 * part + 165, 245.0) for part in who.skin)
    for x in (0.315, 0.685):
        eye = (int(x * side), int(0.385 * side))
        _ellipse(face, eye, (2.1 * size, 1.15 * size * wide), *white)
        cv2.circle(face, eye, int(size * min(1.05, wide + 0.15)), IRIS, -1, cv2.LINE_AA)
        glint = (eye[0] + int(0.35 * size), eye[1] - int(0.35 * size))
        cv2.circle(face, glint, max(1, int(0.3 * size)), (235, 235, 235), -1, cv2.LINE_AA)
        lid = (int(2.2 * size), int(1.25 * size * wide))
        thick = max(1, int(0.45 * size))
        cv2.ellipse(face, eye, lid, 0, 190, 350, LID, thick, cv2.LINE_AA)


@cache
def _regions(side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(side, side, 1) each: 1 around the mouth, and on the cheeks, fading to 0."""
    y, x = np.mgrid[0 : 1 : side * 1j, 0 : 1 : side * 1j].astype(np.float32)
    mouth = np.exp(-(((x - 0.5) / 0.24) ** 4) - ((y - 0.76) / 0.14) ** 4)
    below = ((y - 0.6) / 0.08) ** 2
    cheeks = sum(np.exp(-(((x - at) / 0.09) ** 2) - below) for at in (0.25, 0.75))
    return mouth[:, :, np.newaxis], np.asarray(cheeks, np.float32)[:, :, np.newaxis]


@cache
def _mask(side: int) -> NDArray[np.float32]:
    """(side, side, 1): 1 over the features of a face, fading to 0 towards hair and ears."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    inside = 1 - ((x / 0.84) ** 2 + ((y - 0.02) / 1.0) ** 2)
    fade: NDArray[np.float32] = np.clip(inside * 3.2, 0, 1)[:, :, np.newaxis]
    return fade


def room() -> Picture:
    """The empty room: wall, windows, board rail and floor."""
    height, width = Classroom.HEIGHT, Classroom.WIDTH
    down = np.linspace(0, 1, height, dtype=np.float32)[:, np.newaxis, np.newaxis]
    wall = np.array((196, 208, 214), np.float32) * (1.0 - 0.22 * down)
    canvas = np.repeat(wall, width, axis=1).astype(np.uint8)
    for left in range(60, width, 310):
        pane = canvas[24:140, left : left + 210]
        glow = np.linspace(1.0, 0.9, pane.shape[0], dtype=np.float32)[:, np.newaxis, np.newaxis]
        pane[:] = (np.array((246, 240, 226), np.float32) * glow).astype(np.uint8)
        for x in (left, left + 104, left + 206):
            cv2.rectangle(canvas, (x, 24), (x + 5, 140), (150, 160, 168), -1)
        for y in (24, 136):
            cv2.rectangle(canvas, (left, y), (left + 210, y + 5), (150, 160, 168), -1)
    return canvas


def desk(canvas: Picture, seats: list[SeatPosition]) -> None:
    """The table in front of one row of seats."""
    seat = seats[0]
    top = int(seat.y + 1.3 * seat.width)
    edge = int(0.18 * seat.width)
    cv2.rectangle(canvas, (0, top), (Classroom.WIDTH, top + edge), (126, 164, 196), -1)
    below = top + edge
    cv2.rectangle(canvas, (0, below), (Classroom.WIDTH, below + edge * 3), (92, 124, 152), -1)
    shadow = slice(below, below + max(2, edge // 4))
    canvas[shadow] = (canvas[shadow] * 0.75).astype(np.uint8)


def place(canvas: Picture, sprite: Sprite, x: float, y: float) -> None:
    """Puts a sprite on the canvas with its face's centre at (x, y), cut off at the edges."""
    top, left = int(y) + sprite.top, int(x) + sprite.left
    rows, columns = sprite.through.shape[:2]
    up, back = max(0, -top), max(0, -left)
    down, on = min(rows, canvas.shape[0] - top), min(columns, canvas.shape[1] - left)
    if down <= up or on <= back:
        return
    part = canvas[top + up : top + down, left + back : left + on]
    blend = part * sprite.through[up:down, back:on] + sprite.colour[up:down, back:on]
    part[:] = np.clip(blend, 0, 255).astype(np.uint8)
