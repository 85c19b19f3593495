"""Times and dates as people write them where the school is."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from babel import localedata
from pydantic import ValidationError

from collector.config import SchoolSettings
from collector.pages.render import Renderer
from collector.pages.words import LANGUAGES

WHEN = datetime(2026, 3, 2, 16, 5, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("region", "language", "clock"),
    [
        (None, "en", "16:05"),
        ("GB", "en", "16:05"),
        ("US", "en", "4:05\u202fPM"),
        ("DE", "en", "16:05"),
        ("US", "de", "16:05"),
        ("MX", "es", "4:05\u202fp.m."),
        ("CA", "fr", "16 h 05"),
    ],
)
def test_the_time_of_day_is_written_as_there(region: str | None, language: str, clock: str) -> None:
    text = Renderer(SchoolSettings(region=region)).clock(language)(WHEN)
    assert text.replace("\N{NO-BREAK SPACE}", " ") == clock.replace("\N{NO-BREAK SPACE}", " ")


def test_every_region_writes_every_language_somehow() -> None:
    regions = {name.rpartition("_")[2] for name in localedata.locale_identifiers() if "_" in name}
    for region in sorted(name for name in regions if len(name) == 2):
        renderer = Renderer(SchoolSettings(region=region))
        assert all("05" in renderer.clock(language)(WHEN) for language in LANGUAGES)


@pytest.mark.parametrize("code", ["UK", "us", "USA", "", "de_DE", "001", "ZZZ", "Ü1"])
def test_what_is_no_region_is_refused_in_words(code: str) -> None:
    with pytest.raises(ValidationError, match="write a code of ISO 3166-1"):
        SchoolSettings(region=code)
