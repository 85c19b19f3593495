"""Two windows told as one, for an outbox that is full: detail goes, counted time does not."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from edge.protocol.counts import apportion, disclose
from edge.protocol.messages import Mood

LONGEST_S = 3600.0
"""Coarser than an hour says nothing about a lesson any more."""

GAP_S = 5.0
"""Windows further apart than this, or in another order, are not one span of time."""


def merge(first: Mood, second: Mood) -> Mood | None:
    """One window for both, or None where they do not belong together.

    The numbers of faces are averaged over time. What is told stays as protected as it was: small
    cells that an average makes are merged like any others. Its `seq` is the second's, its `windows`
    says how many it stands for.
    """
    if not _together(first, second):
        return None
    seconds = first.seconds + second.seconds
    if seconds > LONGEST_S:
        return None
    faces, counts = first.faces, first.counts
    if first.faces is not None and second.faces is not None:
        whole = first.faces * first.seconds + second.faces * second.seconds
        faces = int(whole / seconds + 0.5)
    if first.counts is not None and second.counts is not None and faces is not None:
        sums: Counter[str] = Counter()
        for mood, cells in ((first, first.counts), (second, second.counts)):
            sums.update({label: round(1000 * n * mood.seconds) for label, n in cells.items()})
        counts = disclose(apportion(sums, faces)).counts
    return Mood.model_validate(
        {
            **second.model_dump(by_alias=True),
            "start": first.start,
            "seconds": round(seconds, 3),
            "frames": first.frames + second.frames,
            "faces": faces,
            "counts": counts,
            "windows": first.windows + second.windows,
        }
    )


def _together(first: Mood, second: Mood) -> bool:
    """Whether the second follows the first, and says the same kind of thing."""
    same = ("site", "room", "device", "boot", "clock", "model", "withheld")
    if any(getattr(first, name) != getattr(second, name) for name in same):
        return False
    apart = second.start - first.start - timedelta(seconds=first.seconds)
    follows = second.seq - second.windows == first.seq
    return follows and abs(apart.total_seconds()) <= GAP_S
