"""Templates and words: a page in the reader's language, or a part of one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import jinja2
from babel import dates, localedata, negotiate_locale
from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup, escape

from collector.access.policy import RIGHTS
from collector.config import SchoolSettings
from collector.live.rounding import near
from collector.pages.colours import paper
from collector.pages.sub_path import OwnAddresses
from collector.pages.words import LANGUAGES, words

HERE = Path(__file__).parent.parent
STATIC = HERE / "static"
LANGUAGE_COOKIE = "language"
REGIONS = {"en": "en_GB"}
"""How a language writes times where no region is set: with hours to 24."""

MadeUp = Literal["", "all", "others"]
"""What no camera saw, in a demonstration: nothing is shown but what is made up, or in all rooms
but one; empty in a school."""

SPACES = re.compile(r"\s*\n\s*")


def language_of(request: Request) -> str:
    """What was chosen, else the first that the browser asks for and we have."""
    choice = request.cookies.get(LANGUAGE_COOKIE)
    if choice in LANGUAGES:
        return str(choice)
    preferences = [
        part.partition(";")[0].strip().replace("-", "_")
        for part in request.headers.get("accept-language", "").split(",")
    ]
    return (negotiate_locale(preferences, LANGUAGES) or "en").partition("_")[0]


class Renderer:
    """One for all pages, which lie below `base`: empty, or a path as in `/mood`."""

    def __init__(
        self,
        school: SchoolSettings,
        made_up: MadeUp = "",
        room_title: Callable[[str, str], str] = lambda _site, room: room,
        base: str = "",
    ) -> None:
        self.room_title = room_title
        """What people call a room, by its site and name."""
        self._zone = ZoneInfo(school.timezone)
        self._locales = {language: locale_of(language, school.region) for language in LANGUAGES}
        self._env = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
            auto_reload=False,
            extensions=[OwnAddresses],
        )
        self._env.globals["base"] = base
        self._env.globals["languages"] = [(code, words(code)["language"]) for code in LANGUAGES]
        self._env.globals["made_up"] = made_up
        self._env.globals["room_title"] = room_title
        self._env.globals["question"] = school.question
        self._env.globals["answer_texts"] = school.answers
        self._env.filters["colour"] = paper
        self._env.filters["moment"] = lambda told: datetime.fromisoformat(
            told.replace("Z", "+00:00")
        )
        self._env.filters["commands"] = _commands
        self._env.filters["percent"] = lambda share: round(100 * share)
        self._env.filters["near"] = near
        # A chart writes a hundred times of day, the same at each drawing.
        self._clocks = {
            language: lru_cache(maxsize=1024)(self._at(dates.format_time, "short", language))
            for language in LANGUAGES
        }

    def clock(self, language: str) -> Callable[[float | datetime], str]:
        """The time of day, as one writes it in a language."""
        return self._clocks[language]

    def moment(self, language: str) -> Callable[[float | datetime], str]:
        """Day, year and time of day."""
        return self._at(_with_year, "short", language)

    def recent(self, language: str) -> Callable[[float], str]:
        """The time of day; of another day, with its date."""
        today, other_day = self.clock(language), self._at(short, "MMMd", language)

        def write(when: float) -> str:
            same = self.local(when).date() == self.local(time.time()).date()
            return today(when) if same else other_day(when)

        return write

    def locale(self, language: str) -> str:
        """A language as it is written in the school's region, where it has a form of its own."""
        return self._locales[language]

    def local(self, when: float) -> datetime:
        """A moment in the school's own time."""
        return datetime.fromtimestamp(when, self._zone)

    def _at(
        self, kind: Callable[..., str], form: str, language: str
    ) -> Callable[[float | datetime], str]:
        def write(value: float | datetime) -> str:
            when = value
            if not isinstance(when, datetime):
                when = datetime.fromtimestamp(when, timezone.utc)
            return str(kind(when, form, tzinfo=self._zone, locale=self.locale(language)))

        return write

    def text(self, template: str, language: str, context: Mapping[str, Any]) -> str:
        """A template's text; times in it are the school's."""
        return self._env.get_template(template).render(
            t=words(language),
            lang=language,
            at_time=self.clock(language),
            at_date=self._at(dates.format_datetime, "medium", language),
            at_short=self._at(short, "MMMd", language),
            at_recent=self.recent(language),
            at_day=lambda when: dates.format_date(
                when.astimezone(self._zone), "full", locale=self.locale(language)
            ),
            **context,
        )

    def fragment(self, template: str, language: str, context: Mapping[str, Any]) -> str:
        """The same without line ends, which an event stream would take apart."""
        return SPACES.sub(" ", self.text(template, language, context))

    def page(
        self, request: Request, template: str, status: int = 200, **context: Any
    ) -> HTMLResponse:
        """An answer; templates know who is signed in and how to name them."""
        principal = getattr(request.state, "principal", None)
        csrf = request.scope.get("csrftoken")
        common = {
            "principal": principal,
            "may": lambda right: (
                principal is not None
                and principal.role in (getattr(RIGHTS[right], "roles", None) or ())
            ),
            "csrf": csrf() if csrf else "",
            "path": request.url.path,
        }
        text = self.text(template, language_of(request), common | context)
        return HTMLResponse(text, status)


def _commands(text: str) -> Markup:
    """What stands between backticks, as something to type."""
    parts = re.split("`([^`]+)`", text)
    pieces = [
        Markup("<code>{}</code>").format(p) if n % 2 else escape(p) for n, p in enumerate(parts)
    ]
    return Markup("").join(pieces)


def locale_of(language: str, region: str | None) -> str:
    """Looked up once: Babel looks on the disk, and through all names for one that is not there."""
    here = f"{language}_{region}"
    exists = region is not None and localedata.exists(here)
    return here if exists else REGIONS.get(language, language)


def short(when: datetime, skeleton: str, tzinfo: ZoneInfo, locale: str) -> str:
    """Day and time in the least room: 25 Nov, 17:55."""
    day = dates.format_skeleton(skeleton, when, tzinfo=tzinfo, locale=locale)
    return f"{day}, {dates.format_time(when, 'short', tzinfo=tzinfo, locale=locale)}"


def _with_year(when: datetime, form: str, tzinfo: ZoneInfo, locale: str) -> str:
    """25 Nov 2026, 17:55."""
    day = dates.format_date(when.astimezone(tzinfo), "medium", locale=locale)
    return f"{day}, {dates.format_time(when, form, tzinfo=tzinfo, locale=locale)}"
