"""Which part of a room shows which expression, and how sure that is.

A device has weighed its model's errors already. Where the model is known, its pack says how much
wider shares scatter for it, and what to take hidden faces for (models/shares.py); else the shares
are those of the faces told by name, with the interval of that many faces.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from pydantic import BaseModel, Field

from edge.common.errors import UserError
from edge.protocol.messages import OTHER, UNCERTAIN
from models.interval import wilson


class Share(BaseModel):
    """A part of the faces, 0..1, with its 95 % interval."""

    value: float = Field(ge=0, le=1)
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)
    corrected: bool = Field(description="Whether the model's known errors are weighed in.")


def shares(counts: Mapping[str, float], faces: float, model: str) -> dict[str, Share]:
    """Of each label in mean counts; `faces` different ones are behind them. Empty for nobody."""
    label_counts = {name: n for name, n in counts.items() if name not in (OTHER, UNCERTAIN)}
    if faces <= 0 or sum(label_counts.values()) <= 0:
        return {}
    from models.shares import shares as of_pack  # noqa: PLC0415  # loads NumPy

    pack = _pack(model)
    if pack is not None:
        with suppress(UserError):  # counts with other labels than that pack has
            best = of_pack(counts, pack, faces)
            return {
                name: Share(value=s.value, low=s.low, high=s.high, corrected=True)
                for name, s in best.items()
            }
    return wilson_shares(counts, faces)


def wilson_shares(counts: Mapping[str, float], faces: float) -> dict[str, Share]:
    """Of the faces that are told by name, with the interval of that many faces."""
    label_counts = {name: n for name, n in counts.items() if name not in (OTHER, UNCERTAIN)}
    total = sum(label_counts.values())
    if faces <= 0 or total <= 0:
        return {}
    estimates = {}
    for name, n in label_counts.items():
        low, high = wilson(n / total, faces)
        estimates[name] = Share(value=n / total, low=low, high=high, corrected=False)
    return estimates


@cache
def _pack(model: str) -> Any:
    from models.shares import pack_of  # noqa: PLC0415  # loads NumPy

    return pack_of(model)
