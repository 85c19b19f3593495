"""The agent's part in updates: starts with the right one, and says whether it brought a window."""

from __future__ import annotations

import time
from pathlib import Path

from edge.device.slots import Updates

LEAST_S = 5.0
"""Of running, however short a window is: memory and deadlines are looked at each second."""

BLIND_WINDOWS = 2
"""The first may be short of frames because the camera takes its time to open."""


class UpdateTrial:
    """Asked by the agent at each window's end; without an enrolment there are no updates."""

    def __init__(self, state: Path | None, update: int | None) -> None:
        self._updates = None if state is None else Updates(state)
        self._running = update
        self._blind = 0
        self._start = time.monotonic()

    def saw_window(self, frames: int, in_pause: bool) -> str | None:
        """A whole window has ended; returns why the agent should start anew, if it should.

        One during a pause says nothing about an update.
        """
        if self._updates is None:
            return None
        slots = self._updates.update_state()
        if slots.trying is None:
            if slots.starts:  # the first since the start: others need not look into the file again
                self._updates.works()
            return None
        if slots.trying != self._running:
            if not self._updates.can_write():
                return None  # its starts could not be counted: it waits for room on the disk
            return f"update {slots.trying} is to be tried"
        if frames and time.monotonic() - self._start >= LEAST_S:
            self._updates.keep()
        elif not frames and not in_pause:
            self._blind += 1
        if self._blind < BLIND_WINDOWS:
            return None
        because = f"no frame in {BLIND_WINDOWS} windows"
        self._updates.roll_back(because)
        return f"update {slots.trying} was rolled back: {because}"

    def fail(self, because: str) -> None:
        """A run that stood still: an update on trial is to blame, one that was kept is not."""
        if self._updates is not None and self._updates.update_state().trying == self._running:
            self._updates.roll_back(because)
        self.end()

    def end(self) -> None:
        """A run that did not crash."""
        if self._updates is not None:
            self._updates.works()
