"""Which part of a room shows which expression, and how sure that is.

Where the model that counted is known, its known errors are taken out (models/shares.py); else the
shares are what was counted, with the interval of that many faces.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, Field

from edge.common.errors import UserError
from edge.protocol.messages import OTHER, UNCERTAIN

DRAWS = 100
"""A quarter of what models/shares.py takes by itself: intervals differ by a point, and fifty rooms
are asked for at once."""

Z95 = 1.96


class Share(BaseModel):
    """A part of the faces, 0..1, with its 95 % interval."""

    value: float = Field(ge=0, le=1)
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)
    corrected: bool = Field(description="Whether the model's known errors were taken out.")


def shares(counts: Mapping[str, float], faces: float, model: str) -> dict[str, Share]:
    """Of each label in mean counts; `faces` different ones are behind them. Empty for nobody."""
    named = {name: n for name, n in counts.items() if name not in (OTHER, UNCERTAIN)}
    if faces <= 0 or sum(named.values()) <= 0:
        return {}
    pack = _pack(model)
    if pack is not None:
        from models.shares import corrected

        try:
            best = corrected(counts, pack, faces, draws=DRAWS)
        except UserError:
            pass
        else:
            return {
                name: Share(value=s.value, low=s.low, high=s.high, corrected=True)
                for name, s in best.items()
            }
    total = sum(named.values())
    return {name: _wilson(n / total, faces) for name, n in named.items()}


def _wilson(share: float, n: float) -> Share:
    """Wilson's interval for a share of `n` faces (J. Am. Stat. Assoc. 22, 1927)."""
    z2 = Z95**2 / n
    middle = (share + z2 / 2) / (1 + z2)
    half = Z95 / (1 + z2) * math.sqrt(share * (1 - share) / n + z2 / (4 * n))
    return Share(
        value=share,
        low=max(0.0, min(share, middle - half)),
        high=min(1.0, max(share, middle + half)),
        corrected=False,
    )


@cache
def _pack(model: str) -> Any:
    from models.shares import pack_of

    return pack_of(model)
