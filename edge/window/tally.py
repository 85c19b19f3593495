"""Counts the faces of a window: the last stage that knows of single faces, and it keeps none.

What comes in is a reading for each face of a frame; what goes out is one count per label, typical
for the window. No pixel, box or order of faces passes this point, and the readings are overwritten
as soon as the window is told.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence

from edge.protocol.counts import apportion
from edge.protocol.messages import UNCERTAIN
from edge.window.estimate import estimate
from edge.window.reading import FaceReading


class Tally:
    """The frames of one window, as counts.

    `labels` are the model's, in its order; `usual` their shares among the faces that it was
    calibrated on. Without a model there is one label, and no reading has shares.
    """

    def __init__(self, labels: Sequence[str], usual: Sequence[float] | None = None) -> None:
        self._labels = tuple(labels)
        self._usual = tuple(usual or (1 / len(self._labels),) * len(self._labels))
        self._faces: list[int] = []
        self._shares = bytearray()
        self._unread: Counter[str] = Counter()
        """Faces without shares: those nobody could read, or all of them where there is no model."""

    @property
    def frames(self) -> int:
        return len(self._faces)

    def add(self, readings: Sequence[FaceReading]) -> None:
        """One frame: the reading of each face in view."""
        self._faces.append(len(readings))
        for reading in readings:
            if reading.shares:
                self._shares += reading.shares
            else:
                self._unread[reading.label] += 1

    def clear(self) -> None:
        """Overwrites what is known of faces; `frames` stays."""
        self._shares[:] = bytes(len(self._shares))
        self._shares.clear()
        self._unread.clear()

    def sums(self) -> dict[str, float]:
        """How many faces had each label, over all frames: the sums of their probabilities.

        A face adds 1 in all, which is what the noise mode's guarantee rests on.
        """
        sums: dict[str, float] = dict.fromkeys(self._labels, 0.0)
        for row, weight in self._readings().items():
            for label, byte in zip(self._labels, row, strict=True):
                sums[label] += weight * byte / max(1, sum(row))
        return {**sums, **self._unread}

    def typical(self) -> dict[str, int]:
        """A count for every label, and `uncertain`, summing to `faces`."""
        return apportion(self.shares(), self.faces)

    @property
    def faces(self) -> int:
        """In view: the median over the frames.

        It bears a face missed, or found where there is none, in fewer than half of them.
        """
        return int(statistics.median(self._faces) + 0.5) if self._faces else 0

    def shares(self) -> dict[str, float]:
        """The part of the faces with each label, and `uncertain`, from all that were seen.

        All 0 where there were none.
        """
        readings = self._readings()
        read, unread = sum(readings.values()), sum(self._unread.values())
        weights: dict[str, float] = dict.fromkeys((*self._labels, UNCERTAIN), 0.0)
        if read:
            shares = estimate(readings, self._usual, self.faces * read / (read + unread))
            weights.update(
                {label: read * share for label, share in zip(self._labels, shares, strict=True)}
            )
        for label, count in self._unread.items():
            weights[label] += count
        whole = max(1, read + unread)
        return {label: weight / whole for label, weight in weights.items()}

    def _readings(self) -> Counter[bytes]:
        """How often each vector of probabilities was read: a face keeps its own for a while."""
        size = len(self._labels)
        view = memoryview(self._shares)
        return Counter(bytes(view[at : at + size]) for at in range(0, len(view), size))
