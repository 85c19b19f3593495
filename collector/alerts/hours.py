"""When people are told: not in quiet hours, and of everything at once at the digest's time."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from collector.alert_settings import QuietHours


class Hours:
    """In one time zone; times are seconds since 1970."""

    def __init__(self, zone: str, quiet: QuietHours | None, digest: time | None) -> None:
        self._zone, self._quiet, self._digest = ZoneInfo(zone), quiet, digest

    def is_quiet(self, at: float) -> bool:
        if self._quiet is None:
            return False
        start, end = self._quiet.start, self._quiet.end
        now = self._local(at).time()
        return start <= now < end if start < end else now >= start or now < end

    def is_digest_due(self, at: float, last_day: str) -> bool:
        """Whether today's is to be sent; `last_day` is that of the last one."""
        now = self._local(at)
        return self._digest is not None and now.time() >= self._digest and self.day(at) > last_day

    def has_passed(self, at: float) -> bool:
        """Whether the digest's time was already today."""
        return self._digest is not None and self._local(at).time() >= self._digest

    def day(self, at: float) -> str:
        return self._local(at).date().isoformat()

    def _local(self, at: float) -> datetime:
        return datetime.fromtimestamp(at, self._zone)
