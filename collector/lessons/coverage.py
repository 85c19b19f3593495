"""How much of a time was really seen, and where the gaps are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, Field

from edge.protocol.messages import Mood

Why = Literal["paused", "no_camera", "missing"]
"""Why a stretch was not seen; `missing`: no window tells of it."""

SHORTEST = timedelta(seconds=2)
"""Less than this between two windows is how they are cut, not a gap."""

Span = tuple[datetime, datetime]


class Gap(BaseModel):
    """A stretch that was not seen."""

    start: datetime
    end: datetime
    why: Why


class Coverage(BaseModel):
    """Shares of the time asked about, which sum to one; and windows known to be missing."""

    start: datetime
    end: datetime
    seen: float = Field(description="The share in windows with a picture.")
    paused: float = Field(description="The share in which the camera was closed on purpose.")
    no_camera: float = Field(description="The share in which the camera gave nothing.")
    missing: float = Field(description="The share of which no window tells.")
    windows: int
    missing_windows: int = Field(
        description="Windows whose number lies between others of the same run, and that have not "
        "come: on their way, or lost."
    )
    gaps: list[Gap]


def coverage(moods: Sequence[Mood], start: datetime, end: datetime) -> Coverage:
    """What windows, in any order, tell of the time from `start` to `end`; `end` must be later."""
    spans: dict[str, list[Span]] = defaultdict(list)
    for mood in moods:
        window_start, window_end = mood.start, mood.start + timedelta(seconds=mood.seconds)
        kind: str = mood.withheld if mood.withheld in ("paused", "no_camera") else "seen"
        if window_end > start and window_start < end:
            spans[kind].append((max(window_start, start), min(window_end, end)))
    union: list[Span] = []
    gaps: list[Gap] = []
    shares: dict[str, float] = {}
    whole = (end - start).total_seconds()
    # Where two tell of the same moment, as after a clock that jumped, having seen it counts.
    reasons: tuple[tuple[str, Why | None], ...] = (
        ("seen", None),
        ("paused", "paused"),
        ("no_camera", "no_camera"),
    )
    for name, why in reasons:
        new = _without(_union(spans[name]), union)
        shares[name] = sum(_seconds(span) for span in new) / whole
        union = _union([*union, *new])
        if why:
            gaps += [Gap(start=a, end=b, why=why) for a, b in new]
    missing = _without([(start, end)], union)
    gaps += [Gap(start=a, end=b, why="missing") for a, b in missing if b - a >= SHORTEST]
    return Coverage(
        start=start,
        end=end,
        seen=shares["seen"],
        paused=shares["paused"],
        no_camera=shares["no_camera"],
        missing=sum(_seconds(span) for span in missing) / whole,
        windows=len(moods),
        missing_windows=_missing_numbers(moods),
        gaps=sorted(gaps, key=lambda gap: gap.start),
    )


def _union(spans: Iterable[Span]) -> list[Span]:
    """The same time in spans that do not touch."""
    union: list[Span] = []
    for start, end in sorted(spans):
        if union and start <= union[-1][1]:
            union[-1] = (union[-1][0], max(union[-1][1], end))
        else:
            union.append((start, end))
    return union


def _without(spans: Sequence[Span], cuts: Sequence[Span]) -> list[Span]:
    """What is left of spans where others, in order and apart, are taken out."""
    left: list[Span] = []
    for start, end in spans:
        at = start
        for first, last in cuts:
            if last <= at or first >= end:
                continue
            if first > at:
                left.append((at, first))
            at = last
        if at < end:
            left.append((at, end))
    return left


def _seconds(span: Span) -> float:
    return (span[1] - span[0]).total_seconds()


def _missing_numbers(moods: Iterable[Mood]) -> int:
    runs: dict[tuple[str, str], set[int]] = defaultdict(set)
    for mood in moods:
        numbers = range(mood.seq - mood.windows + 1, mood.seq + 1)
        runs[mood.device, str(mood.boot)].update(numbers)
    return sum(max(run) - min(run) + 1 - len(run) for run in runs.values())
