"""Holidays as settings write them: a day, or from a first to a last."""

from __future__ import annotations

from datetime import date
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, field_validator, model_validator

from edge.common.errors import SettingError
from edge.common.settings import Section


def _interval(value: object) -> object:
    """A day, or `first/last`, as ISO 8601 writes it."""
    if isinstance(value, date | str):
        first, _, last = str(value).partition("/")
        return {"first": first, "last": last or first}
    return value


class Holiday(Section):
    """Days without lessons, from the first to the last."""

    first: date
    last: date

    @field_validator("first", "last", mode="before")
    @classmethod
    def _day(cls, value: object) -> object:
        try:
            return date.fromisoformat(value.strip()) if isinstance(value, str) else value
        except ValueError:
            raise SettingError(
                f"not a day, {value}", "write it as in 2026-12-21, or 2026-12-21/2027-01-06"
            ) from None

    @model_validator(mode="after")
    def _check_order(self) -> Holiday:
        if self.last < self.first:
            raise SettingError(f"ends on {self.last}, before {self.first}", "swap the two days")
        return self

    def has(self, day: date) -> bool:
        return self.first <= day <= self.last


HolidaySpan: TypeAlias = Annotated[Holiday, BeforeValidator(_interval)]
