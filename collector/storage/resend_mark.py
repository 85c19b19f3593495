"""From which moment on windows are wanted again, kept with the data: they were stored, and lost."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from collector.storage.setting import NUMBER, read_setting
from collector.storage.tables import moods, settings

KEY = "resend"
"""In the table of settings."""

EARLIER_S = 3600.0
"""Before the newest window that a backup has: others may have been on their way."""

FOR_S = 7 * 86_400.0
"""Devices that are off for longer have forgotten what they had."""


def mark(connection: Connection, since: float | None = None) -> float:
    """Wants windows again from then on (seconds since 1970), or from the newest that is not of the
    future: what came while this machine's clock was ahead says nothing of when others were lost.

    Where some are wanted already, and not every device was asked, the earlier moment holds: one
    wish does not take back another. Returns the moment.
    """
    if since is None:
        now = time.time()
        query = select(func.max(moods.c.received)).where(moods.c.received <= now)
        newest = connection.execute(query).scalar()
        since = max(0.0, (newest or 0.0) - EARLIER_S)
    earlier = read(connection)
    if earlier is not None:
        since = min(since, float(earlier["since"]))
    write(connection, {"since": since, "at": time.time(), "asked": []})
    return since


def write(connection: Connection, value: dict[str, Any]) -> None:
    """`since`, when it was set (`at`), and the runs that were asked, as `site/room boot`."""
    connection.execute(delete(settings).where(settings.c.key == KEY))
    connection.execute(insert(settings).values(key=KEY, value=value))


def read(connection: Connection) -> dict[str, Any] | None:
    """None where nothing is wanted, or nobody has it any more; nobody else changes it before the
    transaction ends."""
    fields: dict[str, Any] = {"since": NUMBER, "at": NUMBER, "asked": list}
    request = read_setting(connection, KEY, fields, for_update=True)
    return request if request is not None and time.time() - request["at"] < FOR_S else None
