"""Sums over frames and windows, and the figures that they give: of all, of a film, of a minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from deploy.bench.measure.material import TrueFace
from deploy.bench.measure.score import Confirmation, Frames
from edge.vision.faces import Box


class FrameCost(NamedTuple):
    """Seconds that a frame took: by the clock, of the processor, and the detector's part of it."""

    wall: float = 0.0
    cpu: float = 0.0
    detecting: float = 0.0


@dataclass
class Sums:
    """What is added up; each error is of one window."""

    frames: Frames = field(default_factory=Frames)
    cost: FrameCost = field(default_factory=FrameCost)
    confirmation: Confirmation = field(default_factory=Confirmation)
    published_errors: list[float] = field(default_factory=list)
    count_errors: list[float] = field(default_factory=list)

    def add(
        self, boxes: Sequence[Box], faces: Sequence[TrueFace], cost: FrameCost
    ) -> list[int | None]:
        """One frame; gives whose face each box is of, as `Frames.add` does."""
        self.cost = FrameCost(*(a + b for a, b in zip(self.cost, cost, strict=True)))
        return self.frames.add(boxes, faces)

    def close(
        self,
        confirmation: Confirmation,
        disclosure_errors: Sequence[float],
        count_errors: Sequence[float],
    ) -> None:
        """One window."""
        both = zip(self.confirmation, confirmation, strict=True)
        self.confirmation = Confirmation(*(a + b for a, b in both))
        self.published_errors += disclosure_errors
        self.count_errors += count_errors

    def figures(self, per_second: float) -> dict[str, Any]:
        """As in docs/contract.md; None where there was nothing to find."""
        frames, confirmation, cost = self.frames, self.confirmation, self.cost
        return {
            "frames": frames.frames,
            "recall": frames.recall,
            "precision": frames.precision,
            "false_per_frame": (frames.detections - frames.right) / frames.frames,
            "window_recall": _share(confirmation.right, confirmation.true),
            "window_precision": _share(confirmation.somebody, confirmation.detections),
            "ms_per_frame": 1000 * cost.wall / frames.frames,
            "cpu_ms_per_frame": 1000 * cost.cpu / frames.frames,
            "cpu_s_per_room_hour": 3600 * per_second * cost.cpu / frames.frames,
            "detector_cpu_ms_per_frame": 1000 * cost.detecting / frames.frames,
            "count_error": _share(sum(self.published_errors), len(self.published_errors)),
            "count_error_counted": _share(sum(self.count_errors), len(self.count_errors)),
        }


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
