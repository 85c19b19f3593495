"""Draws a moment of a film: the empty room, the people in it from far to near, light and noise."""

from __future__ import annotations

import math
import random
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from deploy.bench.measure.films.people import Layer, Portrait
from deploy.bench.measure.films.script import HEIGHT, WIDTH, Pose
from edge.camera.painting import room
from edge.vision.faces import Box

EXPOSED_S = 1 / 60
"""How long a picture is exposed: who moves is blurred by so much of the way."""

COARSE = 4
"""Who hides whom is told on a picture so many times smaller."""

HEAD = 0.75
"""Half a head's width, hair and all, as a share of the face's: what turns when a head is turned."""


class VisibleFace(NamedTuple):
    """A face that was drawn, and the share of it that can be seen."""

    box: Box
    share: float


def background(seed: int) -> NDArray[np.float32]:
    """An empty room: a painted classroom, or a wall with pictures, doors and shelves."""
    chance = random.Random(f"room {seed}")
    if chance.random() < 0.3:
        return np.asarray(cv2.cvtColor(room(), cv2.COLOR_BGR2GRAY), np.float32)
    rows, columns = np.mgrid[0 : 1 : HEIGHT * 1j, 0 : 1 : WIDTH * 1j]
    wall = chance.uniform(70, 210) * (1 - 0.3 * rows + chance.uniform(-0.2, 0.2) * columns)
    for _ in range(chance.randint(10, 30)):
        x, y = chance.randrange(WIDTH), chance.randrange(HEIGHT)
        corner = (x + chance.randint(20, 260), y + chance.randint(20, 200))
        cv2.rectangle(wall, (x, y), corner, (chance.uniform(20, 235),), chance.choice((-1, 3, 6)))
    return np.asarray(cv2.GaussianBlur(wall, (0, 0), 1.5), np.float32)


def light(seed: int, *, dim: bool) -> NDArray[np.float32]:
    """(HEIGHT, WIDTH): how much of it falls where; a dim room has it from one side."""
    chance = random.Random(f"light {seed}")
    rows, columns = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    angle = chance.uniform(0, 2 * math.pi)
    across = math.cos(angle) * columns + math.sin(angle) * rows
    most, uneven = (0.6, 0.45) if dim else (1.0, 0.12)
    return np.asarray(most * (1 - uneven * (0.5 + 0.5 * across)), np.float32)


def draw(
    canvas: NDArray[np.float32], people: list[tuple[Pose, Portrait, float]]
) -> list[VisibleFace | None]:
    """Puts everybody on the canvas, far ones first, each with a brightness of their own."""
    owner = np.full((HEIGHT // COARSE, WIDTH // COARSE), -1, np.int16)
    faces: list[tuple[Box, NDArray[np.bool_], int] | None] = []
    for number, (pose, portrait, brightness) in enumerate(people):
        if pose.absent:
            faces.append(None)
            continue
        matrix = _matrix(pose, portrait.face)
        scale = pose.width / portrait.face.width
        level = min(len(portrait.layers) - 1, max(0, int(-math.log2(scale))))
        # What is a pixel of the layer is so many of the portrait.
        here = matrix @ np.array([[2**level, 0, 0], [0, 2**level, 0], [0, 0, 1]])
        layer = _turn(portrait.layers[level], portrait.face, 2**level, pose.turn)
        _put(canvas, here, layer, brightness, abs(pose.speed) * EXPOSED_S)
        coarse = cv2.warpAffine(layer.alpha, here / COARSE, (WIDTH // COARSE, HEIGHT // COARSE))
        owner[np.asarray(coarse) > 0.5] = number
        faces.append(_face(pose, portrait.face, matrix))
    return [
        None if face is None else VisibleFace(face[0], _share(owner, number, face[1], face[2]))
        for number, face in enumerate(faces)
    ]


def _matrix(pose: Pose, face: Box) -> NDArray[np.float64]:
    """From the portrait to the frame: the face upright about its chin, then in its place."""
    scale = pose.width / face.width
    middle = (face.x + face.width / 2, face.y + face.height / 2)
    matrix = np.asarray(cv2.getRotationMatrix2D(middle, pose.tilt, scale), np.float64)
    matrix[:, 2] += (pose.x - middle[0], pose.y - middle[1])
    return matrix


def _turn(layer: Layer, face: Box, shrink: int, degrees: float) -> Layer:
    """A head that looks aside, as if the portrait were on a ball."""
    if abs(degrees) < 1:
        return layer
    rows, columns = np.mgrid[: layer.luma.shape[0], : layer.luma.shape[1]].astype(np.float32)
    radius = HEAD * face.width / shrink
    across = (columns - (face.x + face.width / 2) / shrink) / radius
    down = (rows - (face.y + face.height / 2) / shrink) / (HEAD * face.height / shrink)
    depth = np.sqrt(np.clip(1 - across**2 - down**2, 0, 1))
    where = (columns + math.radians(degrees) * radius * depth).astype(np.float32)
    luma = cv2.remap(layer.luma, where, rows, cv2.INTER_LINEAR)
    alpha = cv2.remap(layer.alpha, where, rows, cv2.INTER_LINEAR)
    return Layer(np.asarray(luma, np.uint8), np.asarray(alpha, np.float32))


def _put(
    canvas: NDArray[np.float32],
    matrix: NDArray[np.float64],
    layer: Layer,
    brightness: float,
    blur: float,
) -> None:
    height, width = layer.luma.shape
    corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])
    left, top = (max(0, int(edge)) for edge in corners.min(axis=1))
    right, bottom = corners.max(axis=1).astype(int) + 1
    right, bottom = min(WIDTH, right), min(HEIGHT, bottom)
    if right <= left or bottom <= top:
        return
    here = matrix.copy()
    here[:, 2] -= (left, top)
    size = (right - left, bottom - top)
    pixels = cv2.warpAffine(layer.luma, here, size).astype(np.float32)
    opaque = cv2.warpAffine(layer.alpha, here, size)
    if blur >= 1.5:
        kernel = (round(blur) | 1, 1)
        pixels = np.asarray(cv2.blur(pixels, kernel), np.float32)
        opaque = cv2.blur(opaque, kernel)
    part = canvas[top:bottom, left:right]
    part += opaque * (pixels * brightness - part)


def _face(pose: Pose, face: Box, matrix: NDArray[np.float64]) -> tuple[Box, NDArray[np.bool_], int]:
    """The box around the leaning oval, and where the oval is on the coarse picture."""
    scale = pose.width / face.width
    a, b, tilt = scale * face.width / 2, scale * face.height / 2, math.radians(pose.tilt)
    half_x = math.hypot(a * math.cos(tilt), b * math.sin(tilt))
    half_y = math.hypot(a * math.sin(tilt), b * math.cos(tilt))
    box = Box(round(pose.x - half_x), round(pose.y - half_y), round(2 * half_x), round(2 * half_y))
    oval = np.zeros((HEIGHT // COARSE, WIDTH // COARSE), np.uint8)
    centre, axes = (pose.x / COARSE, pose.y / COARSE), (2 * a / COARSE, 2 * b / COARSE)
    cv2.ellipse(oval, (centre, axes, -pose.tilt), (1,), -1)
    return box, oval.astype(bool), max(1, round(math.pi * a * b / COARSE**2))


def _share(owner: NDArray[np.int16], number: int, oval: NDArray[np.bool_], area: int) -> float:
    return min(1.0, float((owner[oval] == number).sum()) / area)
