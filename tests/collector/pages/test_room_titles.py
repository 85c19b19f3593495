"""A room's title from the settings stands wherever people read; scripts get its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.collector.school import OTHER, OWN, School

pytestmark = pytest.mark.once

TITLE = "Physics <Lab> 1"
TITLE_HTML = "Physics &lt;Lab&gt; 1"


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> School:
    folder: Path = tmp_path_factory.mktemp("titles")
    return School(folder, rooms={"school/r101": {"title": TITLE}})


def test_titles_on_pages_and_names_in_the_api(school: School) -> None:
    with school:
        school.staff()
        school.windows(OWN)
        school.windows(OTHER)
        lesson = school.lesson(OWN, title="Optics")
        school.repository.end(lesson)
        with school.as_person("ann") as ann:
            pages = {
                path: ann.get(path).text
                for path in (
                    "/",
                    "/?text=physics",
                    "/rooms/school/r101",
                    "/rooms/school/r101/wall",
                    "/lessons",
                    f"/lessons/{lesson.id}",
                )
            }
        with school.as_script() as script:
            listing = script.get("/api/rooms").text
    assert {path: TITLE_HTML in text for path, text in pages.items()} == dict.fromkeys(pages, True)
    assert OTHER[1] in pages["/"]  # a room without a title goes by its name
    assert OTHER[1] not in pages["/?text=physics"]
    assert "r101" in listing
    assert "Physics" not in listing
