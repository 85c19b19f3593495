"""What settings and timetables alike take for granted: known time zones, lessons of some hours."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator

from edge.common.errors import SettingError

OVERNIGHT_H = 12
"""A lesson over midnight is shorter; one that seems longer has its times the wrong way round."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingError(f"no such time zone, {name}", "write one as in Europe/Berlin") from None
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]
"""A name of the IANA's, which zoneinfo knows."""
