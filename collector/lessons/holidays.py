"""The school's days without lessons: of the settings, and of a calendar of holidays."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from edge.common.calendar import Calendar
from edge.common.calendar_event import IgnoredEvent
from edge.common.calendar_sources import Check, Source, WebSource
from edge.common.errors import UserError
from edge.common.holidays import Holiday

log = logging.getLogger(__name__)


class Holidays:
    """Days of the settings, and each day on which a calendar has any event.

    The calendar is read again when it changes; raises UserError for a file that cannot be read at
    the start. Of one at an address nothing is known before it was fetched: see `gap`.
    """

    def __init__(
        self, days: Sequence[Holiday], source: Source | None, zone: ZoneInfo, *, logs: bool = True
    ) -> None:
        self._days, self._source, self._zone, self._logs = days, source, zone, logs
        self._calendar: Calendar | None = None
        self._read_at: object = None
        self.refresh(starting=True)

    def has(self, day: date) -> bool:
        if any(holiday.has(day) for holiday in self._days):
            return True
        return self._calendar is not None and self._calendar.any_on(day)

    @property
    def gap(self) -> str:
        """Why no day is known to be none, or nothing: a holiday is not taken for a school day."""
        if self._source is None or self._calendar is not None:
            return ""
        return f"the holidays of {self._source.where} were not fetched yet"

    @property
    def faults(self) -> list[IgnoredEvent]:
        return [] if self._calendar is None else self._calendar.faults

    @property
    def web_sources(self) -> list[tuple[WebSource, Check]]:
        """What is fetched, if it is, and what reads it."""
        return [(self._source, self._parse)] if isinstance(self._source, WebSource) else []

    def refresh(self, *, starting: bool = False) -> bool:
        """Reads the calendar where it changed; whether it did. What cannot be read any more leaves
        the days as they were."""
        source = self._source
        if source is None or ((version := source.version()) == self._read_at and not starting):
            return False
        self._read_at = version
        try:
            self._calendar = self._parse(source.content())
        except UserError as error:
            if starting and not isinstance(source, WebSource):
                raise
            if version is not None:  # else it was never fetched, and whoever fetches it says so
                log.error("%s; keeping the holidays that were read before", error)
            return False
        return True

    def _parse(self, content: bytes) -> Calendar:
        where = self._source.where if self._source else ""
        return Calendar(content, self._zone, where, logs=self._logs)
