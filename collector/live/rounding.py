"""How shares are shown: in steps of five per cent, rounded alike, never past all faces.

Pages, PDF, CSV and JSON take their figures from here, so that none says another number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from pydantic import BaseModel, Field

from collector.live.shares import Share

STEP = 5
"""Per cent; finer would claim more than twenty faces can say."""
ALL = 100 // STEP
FAINT = 1e-9
"""Below this two shares are the same: sums of floats miss whole steps by a hair."""


class ShownShare(BaseModel):
    """One expression's share of the faces and its likely range, in per cent."""

    label: str
    percent: int
    low: int
    high: int


class ShownShares(BaseModel):
    """Shares of five per cent or more; the others together. They never sum past 100."""

    rows: list[ShownShare]
    others: list[str] = Field(description="Labels with less than five per cent each.")
    others_percent: int = Field(description="Of the others together; 0 stands for under five.")


def down(share: float) -> int:
    """Per cent, to the step at or below."""
    return STEP * max(0, math.floor(share * ALL + FAINT))


def up(share: float) -> int:
    """Per cent, to the step at or above."""
    return STEP * min(ALL, math.ceil(share * ALL - FAINT))


def near(share: float) -> int:
    """Per cent, to the nearest step."""
    return STEP * min(ALL, max(0, math.floor(share * ALL + 0.5)))


def shown_shares(shares: Mapping[str, Share]) -> ShownShares:
    """Rounds by largest remainder; a range is rounded outwards, and always holds its estimate."""
    large = [label for label, share in shares.items() if share.value * ALL >= 1 - FAINT]
    others = [label for label in shares if label not in large]
    values = [shares[label].value for label in large]
    values.append(sum(shares[label].value for label in others))
    whole = max(1.0, sum(values))
    percents = _largest_remainder([value / whole for value in values])
    rows = []
    for label, percent in zip(large, percents, strict=False):
        share = shares[label]
        low, high = min(down(share.low), percent), max(up(share.high), percent)
        rows.append(ShownShare(label=label, percent=percent, low=low, high=high))
    return ShownShares(rows=rows, others=others, others_percent=percents[-1])


def _largest_remainder(values: list[float]) -> list[int]:
    """Per cent in whole steps that sum to the steps of all values together."""
    steps = [value * ALL for value in values]
    whole = [math.floor(step + FAINT) for step in steps]
    left = math.floor(sum(steps) + 0.5) - sum(whole)
    by_rest = sorted(range(len(steps)), key=lambda n: whole[n] - steps[n])
    for number in by_rest[: max(0, left)]:
        whole[number] += 1
    return [STEP * step for step in whole]
