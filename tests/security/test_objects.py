"""Every object by every role, own and foreign, wherever an answer holds one.

Each room and lesson, with its notes, markers and counts, carries a word that is nowhere else. Every
address is asked for by everybody, and what comes back is searched for these words.
"""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Iterator
from typing import NamedTuple

import httpx
import pytest
from pyarrow import parquet

from collector.access import guard
from collector.access.policy import ROUTES
from tests.collector.school import OTHER, OWN, School, post, report_reader
from tests.conftest import Mosquitto

pytestmark = pytest.mark.once

PLACES = {"own": OWN, "other": OTHER}
READER = "reader of own"
"""Whoever has a link to the report of one lesson of OWN's teacher."""
WHO = ("nobody", "ann", "ian", "tess", "otto", "viewer of own", "viewer of other", READER)
OF = {"tess": "own", "otto": "other", "viewer of own": "own", "viewer of other": "other"}
OF[READER] = "own"
"""Whose place is whose."""
KINDS = ("mine", "nobodys", "colleagues")
"""Lessons in each room: its teacher's, one that was detected, one whose teacher has no account."""


class Object(NamedTuple):
    """Something that an answer may hold, and by which word it is known."""

    kind: str
    place: str
    word: str


def objects() -> list[Object]:
    rows = []
    for place in PLACES:
        rows += [
            Object("face count", place, {"own": "4111", "other": "4222"}[place]),
            Object("mine title", place, f"title-mine-{place}"),
            Object("mine notes", place, f"notes-mine-{place}"),
            Object("mine marker", place, f"marker-mine-{place}"),
            Object("nobodys notes", place, f"notes-nobodys-{place}"),
            Object("colleagues title", place, f"title-colleagues-{place}"),
            Object("colleagues notes", place, f"notes-colleagues-{place}"),
            Object("average", place, {"own": "label-own", "other": "label-other"}[place]),
        ]
    return rows


def may(who: str, one: Object) -> bool:
    """In words: administrators all; IT nothing but that devices work; teachers and viewers their
    rooms; teachers their lessons and the ones that were detected in their rooms."""
    if who in ("nobody", "ian"):
        return False
    if who == "ann":
        return True
    if OF[who] != one.place:
        return False
    if who == READER:
        return one.kind in ("face count", "average", "mine title", "mine marker")
    if one.kind in ("face count", "average"):
        return True
    return who in ("tess", "otto") and not one.kind.startswith("colleagues")


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    folder = tmp_path_factory.mktemp("objects")
    broker = Mosquitto(folder)
    broker.start()
    patched = pytest.MonkeyPatch()
    patched.setattr(guard, "OFTEN", 100_000)
    with School(folder, broker.port) as server:
        server.staff()
        for place, room in PLACES.items():
            number = {"own": 4111, "other": 4222}[place]
            label = f"label-{place}"
            server.windows(room, faces=number, counts={label: number, "uncertain": 0})
            teacher = {"own": "tess", "other": "otto"}[place]
            for back, kind in enumerate((*KINDS, "nobodys", "mine")):
                owner = {"mine": teacher, "nobodys": None, "colleagues": "Mr Nobody"}[kind]
                title = "Lesson" if kind == "nobodys" else f"title-{kind}-{place}"
                start = time.time() - 60 * (9 - back)
                lesson = server.repository.begin(*room, title, "button", teacher=owner, start=start)
                assert lesson is not None
                server.repository.describe(lesson, title, f"notes-{kind}-{place}")
                server.repository.mark(lesson, f"marker-{kind}-{place}")
                server.repository.end(lesson, start + 50)
        yield server
    patched.undo()
    broker.stop()


@pytest.fixture(scope="module")
def clients(school: School) -> dict[str, httpx.Client]:
    persons = {name: school.as_person(name) for name in ("ann", "ian", "tess", "otto")}
    persons["nobody"] = school.client()
    persons["viewer of own"], persons["viewer of other"] = (
        school.by_link(OWN),
        school.by_link(OTHER),
    )
    report_link = next(one for one in school.repository.of() if one.title == "title-mine-own")
    persons[READER] = report_reader(school, report_link)
    return persons


def addresses(school: School) -> list[str]:
    """Every address with GET, about every room and every lesson; what is open to all tells of no
    object, and is asked as well."""
    lessons = [lesson.id for lesson in school.repository.of()]
    paths: list[str] = []
    for method, path in sorted(ROUTES):
        if method != "GET" or path in ("/enter/{secret}", "/audit") or path.endswith(".pdf"):
            continue  # links, a log for administrators, and what is drawn as the page is
        if "{lesson}" in path:
            paths += [path.format(lesson=number) for number in lessons]
        elif "{room}" in path:
            paths += [path.format(site=site, room=room) for site, room in PLACES.values()]
        else:
            paths.append(path.format(code="aaaaa", site=OWN[0]))
    return paths


def text_of(client: httpx.Client, address: str) -> str:
    """All that an answer says, of a feed its first second; tables as JSON."""
    if address.endswith("/live"):
        text = ""
        with client.stream("GET", address) as feed:
            if feed.status_code == 200:
                for line in feed.iter_lines():
                    text += line
                    if line.startswith("data:") and ("faces" in line or "panel" in text):
                        break
        return text
    answer = client.get(address)
    if address.endswith(".parquet") and answer.status_code == 200:
        return json.dumps(parquet.read_table(io.BytesIO(answer.content)).to_pydict(), default=str)
    return answer.text if answer.status_code == 200 else ""


def holds(text: str, one: Object) -> bool:
    """Whether a text has an object's word; a number only by itself, not in another one."""
    return re.search(rf"(?<![\d.]){re.escape(one.word)}(?![\d.])", text) is not None


@pytest.mark.parametrize("who", WHO)
def test_nobody_is_told_of_an_object_that_is_not_theirs(
    school: School, clients: dict[str, httpx.Client], who: str
) -> None:
    texts = {address: text_of(clients[who], address) for address in addresses(school)}
    leaks = [
        (address, one)
        for address, text in texts.items()
        for one in objects()
        if holds(text, one) and not may(who, one)
    ]
    assert leaks == []
    everything = " ".join(texts.values())
    missing = [one for one in objects() if may(who, one) and not holds(everything, one)]
    assert missing == []  # or the search would find nothing for want of words


def test_a_detected_lesson_is_compared_with_its_own_room_alone(
    school: School, clients: dict[str, httpx.Client]
) -> None:
    newest = next(
        one for one in school.repository.of() if one.teacher is None and one.room == OWN[1]
    )
    report = clients["tess"].get(f"/api/lessons/{newest.id}").json()
    rooms = {school.repository.lesson(one["id"]).room for one in report["earlier"]}
    assert rooms == {OWN[1]}


def test_a_card_of_a_room_names_no_lesson_to_it(school: School) -> None:
    running = school.lesson(OWN, title="title-of-now")
    with school.as_person("ian") as ian, school.as_person("tess") as tess:
        assert "title-of-now" not in ian.get("/").text
        assert "title-of-now" in tess.get("/").text
        post(tess, f"/lessons/{running.id}/end", confirm="yes")
