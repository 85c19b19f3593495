"""Counts the faces of a window: the last stage that knows of single faces, and it keeps none.

What comes in is a list of labels for each frame; what goes out is one count per label, typical for
the window. No pixel, box or order of faces passes this point.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence

from edge.protocol.counts import apportion


class Tally:
    """The frames of one window, as counts."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = tuple(labels)
        self._faces: list[int] = []
        self._sums: Counter[str] = Counter()

    @property
    def frames(self) -> int:
        return len(self._faces)

    def add(self, labels: Sequence[str]) -> None:
        """One frame: the label of each face in view."""
        self._faces.append(len(labels))
        self._sums.update(labels)

    def sums(self) -> dict[str, int]:
        """How many faces had each label, over all frames."""
        return dict(self._sums)

    def typical(self) -> dict[str, int]:
        """A count for every label, summing to the median number of faces in view.

        The median bears a face missed, or found where there is none, in fewer than half of the
        frames; the shares are those of all faces seen in the window.
        """
        faces = int(statistics.median(self._faces) + 0.5) if self._faces else 0
        return apportion({name: self._sums[name] for name in self._labels}, faces)
