"""What retention deleted, day by day: the day that goes on as a row in the table of settings, each
one that is over as an entry of the audit log, which nobody changes unseen."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import NamedTuple

from sqlalchemy import Engine, delete, insert

from collector.access.audit import AuditEntry, AuditLog
from collector.storage.setting import read_setting
from collector.storage.tables import settings

KEY = "retention.day"
FIELDS = dict.fromkeys(("rounds", "windows", "lessons", "failures"), int) | {"day": str}
RUN = "retention ran"
ABOUT = re.compile(
    r"(\d{4}-\d\d-\d\d): (\d+) rounds, (\d+) windows and (\d+) lessons deleted, (\d+) failures"
)


class RetentionDay(NamedTuple):
    """One day (UTC), and what its rounds did."""

    day: str
    rounds: int
    windows: int
    lessons: int
    failures: int

    def __str__(self) -> str:
        return (
            f"{self.day}: {self.rounds} rounds, {self.windows} windows and {self.lessons} lessons "
            f"deleted, {self.failures} failures"
        )


def add_round(
    engine: Engine, audit_log: AuditLog, now: float, windows: int, lessons: int, failures: int
) -> None:
    """Adds one round to its day; the day before goes into the audit log."""
    today = f"{datetime.fromtimestamp(now, timezone.utc):%Y-%m-%d}"
    before = current_day(engine)
    if before is not None and before.day != today:
        audit_log.add("the collector", RUN, str(before))
        before = None
    old = before or RetentionDay(today, 0, 0, 0, 0)
    new = RetentionDay(
        today, old.rounds + 1, old.windows + windows, old.lessons + lessons, old.failures + failures
    )
    with engine.begin() as connection:
        connection.execute(delete(settings).where(settings.c.key == KEY))
        connection.execute(insert(settings).values(key=KEY, value=new._asdict()))


def current_day(engine: Engine) -> RetentionDay | None:
    """The last one that a round was noted for, and that is not in the audit log yet."""
    with engine.connect() as connection:
        value = read_setting(connection, KEY, FIELDS)
    return None if value is None else RetentionDay(**value)


def days_in(entries: Iterable[AuditEntry]) -> list[RetentionDay]:
    """Those that the audit log has, oldest first; one that a kill wrote twice counts once."""
    days: dict[str, RetentionDay] = {}
    for entry in entries:
        match = ABOUT.fullmatch(entry.about) if entry.what == RUN else None
        if match:
            day, *numbers = match.groups()
            days[day] = RetentionDay(day, *map(int, numbers))
    return [days[day] for day in sorted(days)]
