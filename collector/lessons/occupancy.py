"""Lessons that nobody announced: a room fills up, and empties again."""

from __future__ import annotations

from collections import deque
from typing import Literal

from collector.live.order import begin_of, is_newer
from edge.protocol.messages import Mood

FILLS_S = 180.0
"""A room with faces for so long has a lesson."""
EMPTIES_S = 600.0
"""And without for so long no longer: a break outside, a film in the dark are shorter."""

Change = Literal["began", "ended", None]


class OccupancyDetector:
    """One room's recent windows, by their own times; tells when a lesson began or ended."""

    def __init__(self) -> None:
        self._history: deque[tuple[float, float, bool]] = deque()
        self._was_empty = True
        self._newest: tuple[Mood, float] | None = None

    def add(self, mood: Mood, arrival: float) -> None:
        """A window with a number of faces, however small a share of it is told, is a full one.

        Fewer than five faces are not told, and are no class. `arrival`: seconds since 1970.
        """
        # No later than it came: a lesson does not begin tomorrow because a clock is wrong.
        start = begin_of(mood.start.timestamp(), arrival)
        if self._newest is not None and not is_newer(mood, start, *self._newest):
            return  # a backlog
        self._newest = (mood, start)
        while self._history and self._history[-1][0] > start:
            self._history.pop()  # the clock was set back
        self._was_empty = self._was_empty or mood.faces is None
        self._history.append((start, start + mood.seconds, mood.faces is not None))
        while self._history and self._history[0][1] < start - EMPTIES_S:
            self._history.popleft()

    def confirm_lesson(self) -> None:
        """There is a lesson: the class that stays when it ends does not begin another one."""
        self._was_empty = False

    def change(self, running: bool) -> tuple[Change, float]:
        """What happened, and when (seconds since 1970)."""
        if not self._history or self._history[-1][2] is running:
            return None, 0.0
        if not running and not self._was_empty:
            return None, 0.0
        end = self._history[-1][1]
        span = EMPTIES_S if running else FILLS_S
        recent = [entry for entry in self._history if entry[1] > end - span]
        total = sum(last - first for first, last, _ in recent)
        if total < 0.8 * span or any(full is running for _, _, full in recent):
            return None, 0.0
        return ("ended" if running else "began"), recent[0][0]
