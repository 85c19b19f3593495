"""Columns of which one value that cannot be read keeps no other row from being read.

SQLite stores what it is given, whatever the column's type, and a page that went bad may say
anything: without these one such value ended every query that met it, and with it a start.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any

from sqlalchemy import JSON, Float
from sqlalchemy.types import TypeDecorator

from edge.common.worker import first_line

log = logging.getLogger(__name__)

MOST_COMPLAINTS = 100
"""Different ones that are told; each is told once."""

_complaints: set[str] = set()


class ReadableJson(TypeDecorator[Any]):
    """None in place of what is no JSON; who needs a form of it looks for that."""

    impl = JSON
    cache_ok = True

    def result_processor(self, dialect: Any, coltype: Any) -> Callable[[Any], Any] | None:
        decode = super().result_processor(dialect, coltype)
        if decode is None:
            return None  # the driver has read it: PostgreSQL takes nothing else

        def read(value: Any) -> Any:
            try:
                return decode(value)
            except (ValueError, TypeError, RecursionError) as error:
                complain(f"no JSON ({first_line(error)})")
                return None

        return read


class ReadableFloat(TypeDecorator[float]):
    """None in place of what is no number, or an infinite one."""

    impl = Float
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> float | None:
        if value is None or (isinstance(value, (int, float)) and math.isfinite(value)):
            return value
        complain("no number")
        return None


def complain(why: str) -> None:
    """Once of each kind, however often it is read."""
    if why not in _complaints and len(_complaints) < MOST_COMPLAINTS:
        _complaints.add(why)
        log.error("database: a value cannot be read and counts as none: %s", why)
