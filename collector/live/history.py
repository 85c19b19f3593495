"""What rooms showed in the last hours, in memory: the live pages ask no database."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from edge.protocol.messages import Mood

KEPT_S = 3 * 3600.0


class WindowSummary(NamedTuple):
    """One window, as much of it as pages draw. Times are seconds since 1970."""

    start: float
    seconds: float
    faces: int | None
    counts: dict[str, int] | None
    withheld: str | None
    model: str


class Mean(NamedTuple):
    """Counts averaged over the windows that told any, and the faces behind them."""

    counts: dict[str, float]
    faces: float
    windows: int


class History:
    """One room's windows in the order of their start; not safe to use from several threads."""

    def __init__(self, seen: Iterable[WindowSummary] = ()) -> None:
        self._seen: deque[WindowSummary] = deque(seen)

    def add(self, mood: Mood) -> None:
        """One that comes late takes its place; what is older than three hours is forgotten."""
        seen = WindowSummary(
            mood.start.timestamp(), mood.seconds, mood.faces, mood.counts, mood.withheld, mood.model
        )
        at = len(self._seen)
        while at and self._seen[at - 1].start > seen.start:
            at -= 1
        self._seen.insert(at, seen)
        newest = self._seen[-1].start
        while self._seen and self._seen[0].start < newest - KEPT_S:
            self._seen.popleft()

    def all(self) -> list[WindowSummary]:
        """Oldest first."""
        return list(self._seen)


class CountedWindow(Protocol):
    """A window, in memory or as it was sent."""

    @property
    def seconds(self) -> float: ...

    @property
    def counts(self) -> dict[str, int] | None: ...


def weighted(windows: Iterable[CountedWindow]) -> dict[str, float]:
    """Mean counts of the windows that told any, each by its length."""
    told = [(one.counts, one.seconds) for one in windows if one.counts is not None]
    whole = sum(seconds for _, seconds in told)
    labels = dict.fromkeys(label for counts, _ in told for label in counts)
    return {
        label: sum(counts.get(label, 0) * seconds for counts, seconds in told) / whole
        for label in labels
    }


def mean(windows: Sequence[WindowSummary]) -> Mean:
    """Weighted by time."""
    counts = weighted(windows)
    told = sum(seen.counts is not None for seen in windows)
    return Mean(counts, sum(counts.values()), told)


def between(windows: Sequence[WindowSummary], begin: float, end: float) -> list[WindowSummary]:
    return [seen for seen in windows if begin <= seen.start < end]
