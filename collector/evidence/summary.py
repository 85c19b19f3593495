"""The pack's summary for people, as PDF in one of the pages' languages."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from babel import dates

from collector.config import CollectorSettings
from collector.evidence.facts import Facts
from collector.pages.pdf import as_pdf
from collector.pages.render import Renderer

MOST_CHANGES = 60
"""Rows of the PDF; changes.json has all."""


def summary_html(
    settings: CollectorSettings, facts: Facts, language: str, fingerprint: str | None
) -> str:
    renderer = Renderer(settings.school, "", settings.title)
    documents = facts.documents
    days = documents["retention"]["days"]
    sites = documents["about"]["sites"]
    pages = {site: page.title for site, page in settings.public.items() if page.title}
    context: dict[str, Any] = {
        **documents,
        "school": ", ".join(pages.get(site, site) for site in sites),
        "zone": settings.school.timezone,
        "fingerprint": fingerprint,
        "most": MOST_CHANGES,
        "sums": {
            name: sum(day[name] for day in days)
            for name in ("rounds", "windows", "lessons", "failures")
        },
        "on_day": lambda text: _day(date.fromisoformat(text), renderer.locale(language)),
        "when": lambda text: renderer.moment(language)(_moment(text)),
    }
    return renderer.text("evidence.html", language, context)


def summary_pdf(
    settings: CollectorSettings, facts: Facts, language: str, fingerprint: str | None
) -> bytes:
    """Raises UserError where WeasyPrint is missing."""
    return as_pdf(summary_html(settings, facts, language, fingerprint), "evidence.css")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _day(day: date, locale: str) -> str:
    return dates.format_date(day, "medium", locale=locale)
