"""Nothing that cannot be taken back happens by one click, by all forms of all templates."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from collector.access.policy import ROUTES
from tests.collector.school import OTHER, OWN, PASSWORD, School, post
from tests.docs.documents import ROOT

pytestmark = pytest.mark.once

REVERSIBLE = {
    "/sign-in": "one signs out again",
    "/sign-out": "one signs in again",
    "/language": "another language is chosen",
    "/check/{code}": "the pupil changes the answer while the round goes on",
    "/check/{code}/undo": "the pupil answers again",
    "/rooms/{site}/{room}/command": "the camera is switched back the same way",
    "/rooms/{site}/{room}/lessons": "a lesson is ended, or erased",
    "/rooms/{site}/{room}/links": "a link is revoked",
    "/lessons/{lesson}": "title and notes are written anew; they are saved while they are typed",
    "/lessons/{lesson}/markers": "a marker is removed",
    "/lessons/{lesson}/links": "a link is revoked",
    "/account/password": "it wants the old password typed, and says what ends",
    "/account/tokens": "a token is revoked",
    "/accounts": "an account is removed",
    "/devices/invite": "a code runs out by itself, and whoever uses it has to be approved",
}
"""What may happen at once, and how it is taken back."""
PARTLY = {
    "/accounts/{account}": ({"role": "it"}, {"role": "teacher", "rooms": "school/r101"}),
    "/lessons/{lesson}/markers/{marker}": (
        {"text": "", "at": "10:00"},
        {"text": "test", "at": "10:00"},
    ),
    "/devices/requests/{number}/{decision}": ({}, {}),
}
"""Fields with which a form takes something away, and fields with which it does not. An approved
device is revoked again: approving asks nothing; refusing does (tests/system/test_fleet_page.py)."""
QUESTIONS: dict[str, dict[str, str]] = {
    "/rooms/{site}/{room}/links/{link}/cut": {},
    "/rooms/{site}/{room}/erase": {},
    "/lessons/{lesson}/end": {},
    "/lessons/{lesson}/erase": {},
    "/lessons/{lesson}/links/{link}/cut": {},
    "/account/tokens/{token}/revoke": {},
    "/accounts/{account}/remove": {},
    "/devices/{site}/{room}/revoke": {},
    "/updates/{number}/{stage}": {},
} | {path: fields for path, (fields, _) in PARTLY.items()}
FLEET = ("/devices/", "/updates/")
"""Of a site: tests/system/test_fleet_page.py answers their questions."""
ON_THE_DEVICE = {
    "{}?lang={}": "the screen switches the camera back the same way",
    "/resume?lang={}": "the screen switches the camera off again, after a PIN",
    "/stop": "whoever mounts the camera starts `roommood agent aim` again",
    "/unlock": "a PIN is typed",
}


def actions(folder: Path) -> set[str]:
    """Where the POST forms of a folder's templates lead, each part that varies as `{}`."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in sorted(folder.glob("*.html")))
    forms = re.findall(r'<form\b[^>]*method="post"[^>]*>', text, re.IGNORECASE)
    assert forms, folder
    addresses = set()
    for form in forms:
        action = re.search(r'action="([^"]*)"', form)
        addresses.add(re.sub(r"{{.*?}}", "{}", action[1]) if action else "")
    return addresses


def reaches(action: str, route: str) -> bool:
    """Whether a form's address may be one of a route's: what varies in it is one part or more."""
    pattern = re.sub(r"\\{\\}", ".+", re.escape(action))
    parts = ["x", *re.findall(r"[a-z]+", action)]  # what may stand where the route has a name
    names = re.findall(r"{(\w+)}", route)
    return any(
        re.fullmatch(pattern, route.format(**dict(zip(names, values, strict=True))))
        for values in product(parts, repeat=len(names))
    )


def test_every_form_of_every_template_asks_or_can_be_taken_back() -> None:
    routes = {path for method, path in ROUTES if method == "POST"}
    pages = {path for path in routes if not path.startswith(("/api/", "/device/"))}
    assert set(REVERSIBLE) | set(QUESTIONS) == pages
    assert not set(REVERSIBLE) & set(QUESTIONS)
    assert all(REVERSIBLE.values())
    for action in actions(ROOT / "collector" / "templates"):
        assert any(reaches(action, path) for path in pages), action


def test_no_form_on_the_device_is_unknown() -> None:
    for folder in ("kiosk", "aim"):
        assert actions(ROOT / "edge" / folder) <= set(ON_THE_DEVICE), folder


def form_of(page: str) -> dict[str, str]:
    """What the question's own form sends, but for the token."""
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))
    return {k: v for k, v in fields.items() if k not in ("csrftoken", "back")}


def test_each_question_names_what_it_is_about_and_does_nothing_until_it_is_answered(
    school: School,
) -> None:
    lesson = school.lesson(OTHER)
    zoe = school.service.accounts.add("zoe", "teacher", [OWN], PASSWORD)
    school.repository.mark(lesson, "experiment")
    values = {"site": OTHER[0], "room": OTHER[1], "lesson": lesson.id, "link": 1, "marker": 1}
    ours = [path for path in QUESTIONS if not path.startswith(FLEET)]
    # What takes away what the others are about comes last.
    ours.sort(key=lambda path: path.endswith(("/end", "/erase", "/remove")))
    ours.sort(key=lambda path: path == "/rooms/{site}/{room}/erase")
    with school.as_person("ann") as ann:
        post(ann, f"/rooms/{OTHER[0]}/{OTHER[1]}/links", hours="1")
        post(ann, "/account/tokens", name="script", days="1", scope="read")
        post(ann, f"/lessons/{lesson.id}/links", days="1")
        for path in ours:
            address = path.format(
                **values | {"link": 2 if path.startswith("/lessons") else 1},
                token=1,
                account=zoe.id,
            )
            before = state(school)
            question = post(ann, address, **QUESTIONS[path])
            assert question.status_code == 200, (path, question.text[:300])
            assert state(school) == before, path
            title = re.search(r"<h1>(.*?)</h1>", question.text)
            subject = ("experiment", "script", "zoe", "ann", "Optics", "school/r102")
            assert title is not None
            assert any(word in title[1] for word in subject), title[1]
            assert f'action="{address}"' in question.text
            fields = form_of(question.text)
            if path == "/rooms/{site}/{room}/erase":
                assert "confirm" not in fields  # it is typed
                assert post(ann, address, confirm="yes").status_code == 409
                assert state(school) == before
                fields["confirm"] = OTHER[1]
            assert post(ann, address, **fields).status_code == 303, path
            assert state(school) != before, path


def state(school: School) -> object:
    """What the forms change."""
    service, repository = school.service, school.repository
    places = [(one, None) for one in (OWN, OTHER)] + [(OTHER, one.id) for one in repository.of()]
    return (
        [(one, repository.markers(one)) for one in repository.of()],
        service.accounts.all(),
        [service.sessions.links(room, lesson) for room, lesson in places],
        [service.sessions.tokens(one.id) for one in service.accounts.all()],
        len(school.store.latest()),
    )


def test_a_form_that_takes_nothing_away_asks_nothing(school: School) -> None:
    lesson = school.lesson(OTHER)
    school.repository.mark(lesson, "experiment")
    values = {"account": school.people["tess"].id, "lesson": lesson.id, "marker": 1}
    with school.as_person("ann") as ann:
        for path, (_, fields) in PARTLY.items():
            if not path.startswith(FLEET):
                assert post(ann, path.format(**values), **fields).status_code == 303, path


def test_a_new_password_for_somebody_asks_and_carries_it(school: School) -> None:
    tess = school.people["tess"]
    with school.as_person("ann") as ann:
        fields = {"role": "teacher", "rooms": "school/r101", "password": "another password"}
        question = post(ann, f"/accounts/{tess.id}", **fields)
        assert "Set a new password for tess?" in question.text
        assert school.service.accounts.verify("tess", PASSWORD) is not None
        assert post(ann, f"/accounts/{tess.id}", **form_of(question.text)).status_code == 303
    assert school.service.accounts.verify("tess", "another password") is not None


def test_what_is_not_there_is_not_asked_about(school: School) -> None:
    with school.as_person("ann") as ann:
        for address in ("/account/tokens/7/revoke", "/rooms/school/r101/links/7/cut"):
            assert post(ann, address).status_code == 404


def test_it_switches_a_camera_from_the_list_of_devices(school: School) -> None:
    """And is led back there, to what was searched for."""
    with school.as_person("ian") as ian:
        back = "/devices?text=r1&cause=&page=1"
        answer = post(ian, "/rooms/school/r101/command", command="pause", back=back)
        assert (answer.status_code, answer.headers["location"]) == (303, back)
        assert "r101: Turning the camera off" in ian.get("/devices").text
        elsewhere = post(
            ian, "/rooms/school/r101/command", command="resume", back="https://a.example/"
        )
        assert elsewhere.headers["location"] == "/"
