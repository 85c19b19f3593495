"""Which windows are of a time that was erased; collector and device go by the same rule."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timezone

from edge.protocol.messages import MOST_SPANS, Command, Mood

Span = tuple[float, float]
"""From when up to when, seconds since 1970."""


def is_within(mood: Mood, begin: float, end: float) -> bool:
    """Whether a window starts in a time; one of several merged, whether it reaches into it."""
    start = mood.start.timestamp()
    if mood.windows > 1:
        return start < end and start + mood.seconds > begin
    return begin <= start < end


def join(spans: Iterable[Span]) -> list[Span]:
    """The same times, in order, none touching the next."""
    merged_spans: list[Span] = []
    for begin, end in sorted(spans):
        if merged_spans and begin <= merged_spans[-1][1]:
            merged_spans[-1] = (merged_spans[-1][0], max(merged_spans[-1][1], end))
        else:
            merged_spans.append((begin, end))
    return merged_spans


def commands(spans: Iterable[Span]) -> list[Command]:
    """What a device is told of them: some in each message."""
    times = [(_instant(begin), _instant(end)) for begin, end in join(spans)]
    return [
        Command(command="erase", spans=tuple(times[at : at + MOST_SPANS]))
        for at in range(0, len(times), MOST_SPANS)
    ]


def _instant(at: float) -> datetime:
    """Rounded up to the millisecond in which windows begin, so that the same ones are within."""
    return datetime.fromtimestamp(math.ceil(round(at * 1000, 3)) / 1000, timezone.utc)
