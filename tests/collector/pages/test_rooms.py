"""The list of rooms where there are many, and a school's own words for check-ins."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest
import time_machine

from collector.config import SchoolSettings
from collector.pages.render import Renderer
from tests.collector.school import OWN, School
from tests.conftest import mood

pytestmark = pytest.mark.once

QUESTION, ANSWERS = "Are you with us?", ("Yes", "Mostly", "No")


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    own = {"question": QUESTION, "answers": ANSWERS}
    with School(tmp_path_factory.mktemp("many"), school=own) as server:
        server.staff()
        for number in range(40):
            server.windows(("school", f"r{101 + number}"), count=1)
        yield server


def test_among_many_rooms_one_is_searched(school: School) -> None:
    school.lesson(OWN, title="Optics")
    with school.as_person("ann") as client:
        everything = client.get("/").text
        assert everything.count('class="card"') == 40
        assert "dense" in everything
        results = client.get("/", params={"text": "R103"}).text
        assert ">r103<" in results
        assert results.count('class="card"') == 1
        assert client.get("/", params={"text": "optics"}).text.count('class="card"') == 1
        nothing = client.get("/", params={"text": "nowhere"}).text
        assert "No room matches." in nothing
        assert 'role="search"' in nothing  # to try another word


def test_of_a_room_that_fell_silent_it_is_said_since_when(school: School) -> None:
    """A time of day alone would be taken for today's; the room's own page says the same."""
    end = datetime.now(timezone.utc) - timedelta(hours=26)
    last = mood(room="r900", device="r900", start=end - timedelta(seconds=15))
    school.service.rooms.update_mood(last, end.timestamp())
    words = f"Last reading: {end.day} {end:%b}, {end:%H:%M}"
    with school.as_person("ann") as client:
        pages = [client.get(path).text for path in ("/", "/rooms/school/r900")]
    school.service.rooms.forget("school", "r900")
    assert [page.count(words) for page in pages] == [1, 1]


@time_machine.travel(datetime(2026, 3, 5, 12, tzinfo=timezone.utc), tick=False)
def test_a_time_of_today_stands_alone_and_today_is_the_schools() -> None:
    early = datetime(2026, 3, 4, 23, 30, tzinfo=timezone.utc).timestamp()
    texts = {
        zone: Renderer(SchoolSettings(timezone=zone), "", lambda _s, room: room, "").recent("en")
        for zone in ("UTC", "Europe/Berlin")
    }
    assert texts["UTC"](early) == "4 Mar, 23:30"
    assert texts["Europe/Berlin"](early) == "00:30"


def test_a_check_in_asks_what_the_school_wrote(school: School) -> None:
    running = school.lesson(OWN, title="Optics")
    with school.client() as pupil:
        page = pupil.get(f"/check/{running.code}").text
    assert QUESTION in page
    assert all(f">{answer}</button>" in page for answer in ANSWERS)
    assert "I'm following" not in page
