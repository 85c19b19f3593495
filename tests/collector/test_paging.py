"""Windows of a long time come page by page, and none is left out without a word."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest

from tests.collector.school import OWN, School
from tests.conftest import mood

pytestmark = pytest.mark.once

MOODS = "/api/rooms/school/r101/moods"


def follow(client: httpx.Client, address: str) -> list[list[int]]:
    """The numbers on each page, from the newest page on."""
    pages = []
    while address:
        answer = client.get(address)
        assert answer.status_code == 200, answer.text
        pages.append([one["seq"] for one in answer.json()])
        link = re.fullmatch(r'<(.*)>; rel="next"', answer.headers.get("link", ""))
        address = link.group(1) if link else ""
    return pages


def test_every_window_is_on_one_page(tmp_path: Path) -> None:
    start = datetime.now(timezone.utc) - timedelta(hours=10)
    with School(tmp_path) as school, school.as_script() as client:
        # Some of the same moment, as after a clock that was set back.
        moods = [mood(seq=n, start=start + timedelta(seconds=n // 3)) for n in range(250)]
        school.store.add(moods)
        since = start.isoformat().replace("+00:00", "Z")
        for limit in (1, 7, 83, 249, 250, 10_000):
            pages = follow(client, f"{MOODS}?from={since}&limit={limit}")
            assert [n for page in reversed(pages) for n in page] == list(range(250))
            assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
        assert client.get(f"{MOODS}?from={since}&limit=10001").status_code == 422
        assert client.get(f"{MOODS}?from={since}&before=yesterday").status_code == 422


def test_what_does_not_fit_is_said_where_nobody_asked_for_pages(tmp_path: Path) -> None:
    start = datetime.now(timezone.utc) - timedelta(days=3)
    with School(tmp_path) as school, school.as_script() as client:
        school.store.add([mood(seq=n, start=start + timedelta(seconds=n)) for n in range(10_001)])
        since = start.isoformat().replace("+00:00", "Z")
        assert [len(page) for page in follow(client, f"{MOODS}?from={since}")] == [10_000, 1]
        assert OWN == ("school", "r101")
