"""The list of rooms where there are many, and a school's own words for check-ins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.collector.school import OWN, School

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


def test_a_check_in_asks_what_the_school_wrote(school: School) -> None:
    running = school.lesson(OWN, title="Optics")
    with school.client() as pupil:
        page = pupil.get(f"/check/{running.code}").text
    assert QUESTION in page
    assert all(f">{answer}</button>" in page for answer in ANSWERS)
    assert "I'm following" not in page
