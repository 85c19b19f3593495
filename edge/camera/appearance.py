"""Faces that belong to nobody, drawn from a small appearance model.

The model (mean and principal components of neutral faces, and what each expression changes) was
fitted on FER2013's training split by `python -m models.training.appearance`; see models/README.md.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).with_name("appearance.npz")

SIDE = 64
"""Side of a drawn face, pixels: eyebrows to chin, a little more to each side."""

IDENTITY = 0.75
"""How far a face strays from the mean, in standard deviations of each component."""

GAIN = {"neutral": 0.0, "happy": 1.3, "surprise": 1.6}
"""How strongly an expression is played: a mean expression alone is too faint to be read."""


class Appearance(NamedTuple):
    """mean (4096,), components (K, 4096) scaled by their deviations, a change per expression."""

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    changes: dict[str, NDArray[np.float32]]
    seeds: tuple[int, ...]
    """Seeds whose face is found and read as intended with every expression."""


@cache
def model() -> Appearance:
    with np.load(FILE) as archive:
        components = archive["components"].astype(np.float32) * archive["scales"][:, np.newaxis]
        names = [str(name) for name in archive["expressions"]]
        changes = archive["changes"].astype(np.float32)
        return Appearance(
            archive["mean"].astype(np.float32),
            components,
            dict(zip(names, changes, strict=True)),
            tuple(int(seed) for seed in archive["seeds"]),
        )


def draw(seed: int, expression: str) -> NDArray[np.float32]:
    """A face (64, 64) around 0 with a deviation of about 1; the same seed is the same face."""
    parts = model()
    weights = np.random.default_rng(seed).standard_normal(len(parts.components)) * IDENTITY
    face = parts.mean + weights.astype(np.float32) @ parts.components
    if GAIN[expression]:
        face = face + GAIN[expression] * parts.changes[expression]
    return face.reshape(SIDE, SIDE)
