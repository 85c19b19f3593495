"""What the sizes of the faces in view say about where the camera hangs."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

MOST_SIZES = 4000
"""Faces, some minutes of a full room."""

SMALLER = 0.8
"""The detector looks for faces a little smaller than the smallest that were seen."""

LEAST_SIZE = 20
"""Pixels; what the detector looks for while aiming."""


class SizeReport(NamedTuple):
    """Of the faces seen lately, widths in pixels. `enough` is the share that the model can read."""

    now: int
    smallest: int
    median: int
    largest: int
    enough: float | None
    proposed_min_size: int


class Sizes:
    """Widths of faces, and nothing else of them."""

    def __init__(self, readable: float | None) -> None:
        self._readable = readable
        self._widths: deque[int] = deque(maxlen=MOST_SIZES)
        self._now = 0

    def add(self, widths: Sequence[int]) -> None:
        """One frame."""
        self._now = len(widths)
        self._widths.extend(widths)

    def report(self) -> SizeReport | None:
        """None until a face was seen. The smallest and largest twentieth count as chance."""
        if not self._widths:
            return None
        widths = sorted(self._widths)
        small, large = widths[len(widths) // 20], widths[-1 - len(widths) // 20]
        enough = _share(widths, self._readable) if self._readable else None
        proposal = max(LEAST_SIZE, int(small * SMALLER))
        return SizeReport(self._now, small, int(statistics.median(widths)), large, enough, proposal)


def _share(widths: Iterable[int], at_least: float) -> float:
    large = [width >= at_least for width in widths]
    return sum(large) / len(large)
