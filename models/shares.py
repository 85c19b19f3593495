"""What a room's counts say about its expressions, and how sure that is.

A device estimates a window's shares from the probabilities of its faces, with the model's errors
weighed in (edge/window/estimate.py); they are not taken out a second time here. What remains is to
divide up the faces that are not told by name, and to say how far off the shares may be: the pack
tells how much wider they scatter than those of faces that are surely read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.common.errors import UserError
from edge.protocol.messages import OTHER, UNCERTAIN
from edge.vision.pack import PACK_FILE, PACKS, Pack, open_pack
from models.interval import wilson


@dataclass(frozen=True)
class ShareEstimate:
    """Part of the faces, 0..1, with its 95 % interval."""

    value: float
    low: float
    high: float


def shares(
    counts: Mapping[str, float], pack: Pack, faces: float | None = None
) -> dict[str, ShareEstimate]:
    """The share of each label of the pack, from the counts of a window or summed over a lesson.

    `faces` is the number of different faces behind the counts, where it is smaller than their sum:
    the same pupils are counted in every window, which makes them no more certain. Raises UserError
    for counts of another pack, or of nobody.
    """
    unknown = sorted(counts.keys() - {*pack.labels, UNCERTAIN, OTHER})
    if unknown:
        raise UserError(
            f"counts {', '.join(unknown)} are of another pack",
            pack.name,
            "name the pack that counted",
        )
    whole = sum(counts.values())
    if whole <= 0:
        raise UserError("no faces", pack.name, "give counts of somebody")
    point = pack.point()
    behind = min(faces or whole, whole) / point.spread
    values = _divide(counts, dict(zip(pack.labels, point.usual, strict=True)))
    return {label: ShareEstimate(value, *wilson(value, behind)) for label, value in values.items()}


def _divide(counts: Mapping[str, float], usual: Mapping[str, float]) -> dict[str, float]:
    """`other` to the labels that are not told, as is usual; `uncertain` as the rest."""
    label_counts = {label: float(counts.get(label, 0)) for label in usual}
    gaps = {label: usual[label] for label, n in label_counts.items() if n == 0 and usual[label] > 0}
    other = float(counts.get(OTHER, 0))
    takers = gaps or dict(usual)
    for label, part in takers.items():
        label_counts[label] += other * part / sum(takers.values())
    whole = sum(label_counts.values())
    return {label: n / whole for label, n in label_counts.items()} if whole else dict(usual)


def pack_of(digest: str) -> Pack | None:
    """The shipped pack whose model a mood names by its 12 hex digits, or None."""
    for path in sorted(PACKS.glob(f"*/{PACK_FILE}")):
        pack, _ = open_pack(str(path.parent))
        if pack.digest == digest:
            return pack
    return None
