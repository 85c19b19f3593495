"""What a room's counts say about its expressions, once the model's known errors are taken out.

A model that takes a fifth of the sad faces for neutral counts too few sad ones in every room. How
often it says what of which faces is in its pack; from that and from what it said, expectation-
maximisation finds the shares that explain the counts best (Saerens et al., Neural Computation 14,
2002, for labels instead of probabilities). `uncertain` and `other` are divided up on the way.

It holds as far as the room's faces are like those the errors were counted on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.common.errors import UserError
from edge.protocol.messages import OTHER, UNCERTAIN
from edge.vision.pack import PACK_FILE, SHIPPED, Pack, open_pack

STEPS = 200
DRAWS = 400
SMOOTHING = 0.5
"""Faces added to every cell of the confusion matrix: what was never seen is not impossible."""

PRIOR = 1.0
"""Faces, divided as those that the errors were counted on, that are added to the room: they keep a
small room from being read as all one label. Chosen on rooms drawn from public_test by `python -m
models.measure.rooms`."""


@dataclass(frozen=True)
class ShareEstimate:
    """Part of the faces, 0..1, with its 95 % interval."""

    value: float
    low: float
    high: float


def corrected(
    counts: Mapping[str, float],
    pack: Pack,
    independent: float | None = None,
    seed: int = 1,
    draws: int = DRAWS,
) -> dict[str, ShareEstimate]:
    """The share of each label of the pack, from the counts of a window or summed over a lesson.

    `independent` is the number of different faces behind the counts, where it is smaller than
    their sum: the same pupils are counted in every window, which makes them no more certain.
    Raises UserError for counts of another pack, of nobody, or a pack without its confusion.
    """
    if not pack.confusion:
        raise UserError("has no confusion matrix", pack.name, "quantize it again")
    said, merge = _observed(counts, pack)
    faces = said.sum()
    if faces <= 0:
        raise UserError("no faces", "counts", "give counts of at least one face")
    said = said / faces * min(independent or faces, faces)
    rows = np.array(pack.confusion, float) + SMOOTHING
    usual = rows.sum(axis=1) / rows.sum()
    best = _em(said[np.newaxis], (_chances(rows) @ merge)[np.newaxis], usual)[0]

    rng = np.random.default_rng(seed)
    tables = np.stack([rng.dirichlet(row, draws) for row in rows], axis=1)
    drawn = rng.multinomial(max(1, round(said.sum())), said / said.sum(), draws)
    spread = _em(drawn.astype(float), tables @ merge, usual)
    low, high = np.percentile(spread, [2.5, 97.5], axis=0)
    return {
        label: ShareEstimate(
            float(best[at]), float(min(low[at], best[at])), float(max(high[at], best[at]))
        )
        for at, label in enumerate(pack.labels)
    }


def _chances(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    chances: NDArray[np.float64] = rows / rows.sum(axis=1, keepdims=True)
    return chances


def _observed(
    counts: Mapping[str, float], pack: Pack
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Counts by what was said, and which of the pack's answers each of them stands for.

    `other` stands for all answers that are not counted by name.
    """
    answers = (*pack.labels, UNCERTAIN)
    unknown = sorted(counts.keys() - {*answers, OTHER})
    if unknown:
        raise UserError(
            f"counts {', '.join(unknown)} are of another pack",
            pack.name,
            "use the pack that counted",
        )
    named = [name for name in counts if name != OTHER]
    columns = [*named, OTHER]
    merge = np.zeros((len(answers), len(columns)))
    for at, name in enumerate(answers):
        merge[at, columns.index(name if name in counts else OTHER)] = 1
    return np.array([float(counts.get(name, 0)) for name in columns]), merge


def _em(
    said: NDArray[np.float64], chance: NDArray[np.float64], usual: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(D, L) shares from counts (D, C) and chances (D, L, C) of each count given each label."""
    shares = np.tile(usual, (len(said), 1))
    for _ in range(STEPS):
        joint = shares[:, :, np.newaxis] * chance
        blame = joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-12)
        faces = (blame * said[:, np.newaxis, :]).sum(axis=2) + PRIOR * usual
        shares = faces / faces.sum(axis=1, keepdims=True)
    return shares


def pack_of(digest: str) -> Pack | None:
    """The shipped pack whose model a mood names by its 12 hex digits, or None."""
    for path in sorted(SHIPPED.glob(f"*/{PACK_FILE}")):
        pack, _ = open_pack(str(path.parent))
        if pack.digest == digest:
            return pack
    return None
