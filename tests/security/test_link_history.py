"""A share link shows a room as its page does: the last half hour, and no lesson before it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import httpx
import pytest

from tests.collector.school import OWN, School
from tests.conftest import mood

pytestmark = pytest.mark.once

MOODS = "/api/rooms/school/r101/moods"


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    with School(tmp_path_factory.mktemp("history")) as server:
        server.staff()
        now = datetime.now(timezone.utc)
        ages = [timedelta(minutes=minutes) for minutes in (1, 20, 40, 600, 60 * 24 * 3)]
        server.store.add([mood(seq=seq, start=now - age) for seq, age in enumerate(ages, 1)])
        yield server


def numbers(client: httpx.Client, **span: str) -> list[int]:
    """Of the windows on all pages."""
    answer, seqs = client.get(MOODS, params=span), []
    while True:
        assert answer.status_code == 200
        seqs += [one["seq"] for one in answer.json()]
        if "next" not in answer.links:
            return sorted(seqs)
        answer = client.get(answer.links["next"]["url"])


@pytest.mark.parametrize("limit", ["1", "10000"])
def test_whoever_has_a_link_reads_the_last_half_hour(school: School, limit: str) -> None:
    now = datetime.now(timezone.utc)
    old, late = ((now - timedelta(days=days)).isoformat() for days in (7, 1))
    with school.by_link(OWN) as viewer, school.as_person("tess") as teacher:
        assert numbers(viewer) == [1, 2]
        assert numbers(viewer, **{"from": old}, limit=limit) == [1, 2]
        assert numbers(viewer, **{"from": old}, to=late, limit=limit) == []
        place = f"{(now - timedelta(minutes=35)).timestamp()!r}~99"
        assert numbers(viewer, **{"from": old}, before=place, limit=limit) == []
        assert numbers(teacher, **{"from": old}, limit=limit) == [1, 2, 3, 4, 5]
