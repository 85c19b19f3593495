"""That the collector doubts its machine's clock, kept with the data: commands beside it know it.

What is erased "until now" by a clock that is ahead would take what has not been measured yet.
"""

from __future__ import annotations

import time

from sqlalchemy import Engine, delete, insert

from collector.storage.database import begin
from collector.storage.setting import NUMBER, read_setting
from collector.storage.tables import settings
from edge.common.clock_remedy import clock_remedy
from edge.common.errors import UserError

KEY = "clock"
"""In the table of settings."""


def note(engine: Engine, ahead_s: float | None) -> None:
    """By how much our clock is ahead of the devices' (seconds; below zero: behind); None where it
    is not in doubt."""
    with begin(engine) as connection:
        connection.execute(delete(settings).where(settings.c.key == KEY))
        if ahead_s is not None:
            value = {"ahead_s": ahead_s, "at": time.time()}
            connection.execute(insert(settings).values(key=KEY, value=value))


def check(engine: Engine) -> None:
    """Raises UserError while it is in doubt; what was noted by a clock that was set since counts
    no more."""
    with engine.connect() as connection:
        value = read_setting(connection, KEY, {"ahead_s": NUMBER, "at": NUMBER})
    if value is None:
        return
    moved_s = time.time() - value["at"]
    was_set = moved_s < 0 if value["ahead_s"] > 0 else moved_s > -value["ahead_s"] / 2
    if not was_set:
        raise UserError(
            "differs from the devices' clocks, so nothing was erased",
            "this machine's clock",
            f"{clock_remedy()}; then erase again, while the collector runs",
        )
