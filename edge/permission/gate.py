"""Whether the camera may be open this moment: people's switch first, then the timetable."""

from __future__ import annotations

from datetime import datetime, timezone

from edge.common.clock import trust
from edge.permission.schedule import Schedule
from edge.permission.switch import Switch
from edge.protocol.messages import Pause


class Gate:
    """Asked before every frame. What opens it must be known; anything else leaves it closed."""

    def __init__(self, switch: Switch, schedule: Schedule | None) -> None:
        self._switch, self._schedule = switch, schedule

    def closed_by(self) -> Pause | None:
        """What keeps the camera closed, or None."""
        if pause := self._switch.pause:
            return pause
        if self._schedule is None:
            return None
        return self._schedule.close_reason(datetime.now(timezone.utc), trust() == "synced")
