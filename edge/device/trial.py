"""The agent's part in updates: starts with the right one, and says whether it brought a window."""

from __future__ import annotations

import logging
from pathlib import Path

from edge.device.slots import Updates

log = logging.getLogger(__name__)


class Trial:
    """Asked by the agent at each window's end; without an enrolment there are no updates."""

    def __init__(self, state: Path | None, update: int | None) -> None:
        self._updates = None if state is None else Updates(state)
        self._running = update

    def saw_window(self, frames: int) -> str | None:
        """A window has ended; returns why the agent should start anew, if it should.

        A window without a frame, as during a pause, says nothing about an update.
        """
        if self._updates is None:
            return None
        slots = self._updates.slots()
        if slots.trying is not None and slots.trying == self._running:
            if frames:
                self._updates.keep()
            return None
        if slots.trying is not None:
            return f"update {slots.trying} is to be tried"
        return None

    def failed(self, because: str) -> None:
        """A run that stood still while an update was on trial."""
        if self._updates is not None and self._updates.slots().trying == self._running:
            self._updates.roll_back(because)
