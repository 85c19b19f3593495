"""What rooms showed in the last hours, in memory: the live pages ask no database.

Windows stand in the order of their numbers and are forgotten by how much time they fill. Neither
asks a device's clock: a window that is dated a day ahead pushes nobody out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from collector.live.order import begin_of, is_newer
from collector.storage.store import StoredSummary
from edge.protocol.messages import Mood

KEPT_S = 3 * 3600.0


class WindowSummary(NamedTuple):
    """One window, as much of it as pages draw. Times are seconds since 1970."""

    boot: UUID
    seq: int
    received: float

    start: float
    seconds: float
    faces: int | None
    counts: dict[str, int] | None
    withheld: str | None
    model: str


def readable(row: StoredSummary) -> WindowSummary:
    """Raises ValueError for what an earlier version let in, or somebody changed."""
    faces, counts = row.faces, row.counts
    if faces is not None and not isinstance(faces, int):
        raise ValueError("faces: no number")
    if counts is not None and not (
        isinstance(counts, dict) and all(isinstance(n, int) for n in counts.values())
    ):
        raise ValueError("counts: no numbers by label")
    if not row.seconds > 0:
        raise ValueError("seconds: no length")
    return WindowSummary(UUID(row.boot), *row[1:])


class Mean(NamedTuple):
    """Counts averaged over the windows that told any, and the faces behind them."""

    counts: dict[str, float]
    faces: float
    windows: int


class History:
    """One room's windows, oldest first by number; not safe to use from several threads."""

    def __init__(self, windows: Iterable[WindowSummary] = ()) -> None:
        self._windows: deque[WindowSummary] = deque(windows)
        self._length_s = sum(one.seconds for one in self._windows)
        self._running: UUID | None = None

    def add(self, mood: Mood, arrival: float) -> None:
        """One that comes late takes its place; the oldest are forgotten past three hours' worth."""
        self.put(
            WindowSummary(
                *(mood.boot, mood.seq, arrival, mood.start.timestamp(), mood.seconds),
                *(mood.faces, mood.counts, mood.withheld, mood.model),
            )
        )

    def put(self, window: WindowSummary) -> None:
        """As `add`."""
        at = len(self._windows)
        while at and self._is_later(self._windows[at - 1], window):
            at -= 1
        self._windows.insert(at, window)
        self._length_s += window.seconds
        while self._length_s > KEPT_S and len(self._windows) > 1:
            self._length_s -= self._windows.popleft().seconds

    def runs(self, boot: UUID) -> None:
        """The agent's run whose windows are the newest, whatever their clock says."""
        if boot != self._running:
            self._running = boot
            self._windows = deque(sorted(self._windows, key=lambda one: one.boot == boot))

    def all(self) -> list[WindowSummary]:
        """Oldest first."""
        return list(self._windows)

    def near(self, start: float) -> list[WindowSummary]:
        """Those of the hours before and up to a window that begins then, in the order of time."""
        near = [one for one in self._windows if start - KEPT_S <= one.start <= start]
        return sorted(near, key=lambda one: one.start)

    def _is_later(self, old: WindowSummary, new: WindowSummary) -> bool:
        starts = begin_of(old.start, old.received), begin_of(new.start, new.received)
        return is_newer(old, starts[0], new, starts[1], self._running) and old[:2] != new[:2]


class CountedWindow(Protocol):
    """A window, in memory or as it was sent."""

    @property
    def seconds(self) -> float: ...

    @property
    def counts(self) -> dict[str, int] | None: ...


def mean_counts(windows: Iterable[CountedWindow]) -> dict[str, float]:
    """Mean counts of the windows that told any, each by its length."""
    pairs = [(one.counts, one.seconds) for one in windows if one.counts is not None]
    whole = sum(seconds for _, seconds in pairs)
    labels = dict.fromkeys(label for counts, _ in pairs for label in counts)
    return {
        label: sum(counts.get(label, 0) * seconds for counts, seconds in pairs) / whole
        for label in labels
    }


def mean(windows: Sequence[WindowSummary]) -> Mean:
    """Weighted by time."""
    counts = mean_counts(windows)
    count = sum(window.counts is not None for window in windows)
    return Mean(counts, sum(counts.values()), count)


def between(windows: Sequence[WindowSummary], begin: float, end: float) -> list[WindowSummary]:
    return [window for window in windows if begin <= window.start < end]
