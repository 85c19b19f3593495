"""The lessons of a week as a grid, or those that a search finds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from babel import dates

from collector.lessons.repository import Lesson, LessonFilter
from collector.pages.render import Renderer

Find = Callable[[LessonFilter, int], list[Lesson]]

A_PAGE = 50
A_WEEK = 1000
WEEK = timedelta(days=7)
WORKDAYS = 5


class Day(NamedTuple):
    """A column of the week."""

    name: str
    today: bool
    lessons: list[Lesson]


def lesson_list(
    find: Find, renderer: Renderer, language: str, week: str, text: str, page: int
) -> dict[str, Any]:
    """What the page shows; `week` is any day of it as 2026-11-23, else the newest with lessons."""
    locale = renderer.locale(language)
    context: dict[str, Any] = {"text": text, "days": [], "found": [], "page": page, "more": False}
    if text:
        some = find(LessonFilter(text=text, offset=A_PAGE * (page - 1)), A_PAGE + 1)
        return context | {"found": some[:A_PAGE], "more": len(some) > A_PAGE, "any": True}
    newest = find(LessonFilter(), 1)
    monday = _monday(week) or _monday_of(renderer, newest)
    begin, end = _midnight(renderer, monday), _midnight(renderer, monday + WEEK)
    lessons = sorted(
        find(LessonFilter(begin.timestamp(), end.timestamp()), A_WEEK), key=lambda one: one.start
    )
    today = datetime.now(begin.tzinfo).date()
    days = [
        Day(
            dates.format_date(day, "EEEE d MMM", locale=locale),
            day == today,
            [one for one in lessons if renderer.local(one.start).date() == day],
        )
        for day in (monday + timedelta(days=n) for n in range(7))
    ]
    while len(days) > WORKDAYS and not days[-1].lessons:
        days.pop()
    return context | {
        "days": days,
        "any": bool(newest),
        "title": dates.format_interval(
            monday, monday + WEEK - timedelta(days=1), "yMMMd", locale=locale
        ),
        "before": str(monday - WEEK),
        "after": str(monday + WEEK) if monday + WEEK <= today else "",
    }


def _monday(day: str) -> date | None:
    """Of the week that holds a day, if it is one that calendars have."""
    try:
        calendar_day = date.fromisoformat(day)
        monday = calendar_day - timedelta(days=calendar_day.weekday())
        monday + WEEK, monday - WEEK
    except (ValueError, OverflowError):
        return None
    return monday if 1970 < monday.year < 9000 else None


def _monday_of(renderer: Renderer, newest: list[Lesson]) -> date:
    """This week where it has lessons, or the newest one that has."""
    day = renderer.local(newest[0].start if newest else datetime.now().timestamp()).date()
    return day - timedelta(days=day.weekday())


def _midnight(renderer: Renderer, day: date) -> datetime:
    return datetime.combine(day, time(), renderer.local(0.0).tzinfo)
