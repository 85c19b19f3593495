"""No form is sent twice by a reload: what it led to is another page, whatever the form."""

from __future__ import annotations

import pytest

from collector.access.policy import ROUTES
from tests.collector.school import OTHER, School, post

pytestmark = pytest.mark.once

ROOM = {"site": OTHER[0], "room": OTHER[1]}
ANSWER = {"confirm": "yes"}
FORMS: dict[str, dict[str, str]] = {
    "/sign-in": {"name": "ann", "password": "correct horse battery"},
    "/language": {"language": "de"},
    "/check/{code}": {"answer": "well"},
    "/check/{code}/undo": {},
    "/rooms/{site}/{room}/command": {"command": "pause"},
    "/rooms/{site}/{room}/links": {"hours": "1"},
    "/rooms/{site}/{room}/links/{link}/cut": ANSWER,
    "/lessons/{lesson}": {"title": "Optics"},
    "/lessons/{lesson}/markers": {"text": "experiment"},
    "/lessons/{lesson}/markers/{marker}": {"text": "test", "at": "10:00"},
    "/lessons/{lesson}/links": {"days": "1"},
    "/lessons/{lesson}/links/{link}/cut": ANSWER,
    "/lessons/{lesson}/end": ANSWER,
    "/rooms/{site}/{room}/lessons": {"title": "Optics"},
    "/lessons/{lesson}/erase": ANSWER,
    "/account/tokens": {"name": "script", "days": "1", "scope": "read"},
    "/account/tokens/{token}/revoke": ANSWER,
    "/accounts": {"name": "new", "role": "it", "password": "a long password"},
    "/accounts/{account}": {"role": "teacher"} | ANSWER,
    "/accounts/{account}/remove": ANSWER,
    "/rooms/{site}/{room}/erase": {"confirm": OTHER[1]},
    "/account/password": {"old": "correct horse battery", "new": "another password"},
    "/sign-out": {},
}
"""What makes each form succeed, in an order in which one leaves what the next needs."""
FLEET = ("/devices/", "/updates/")
"""Of a site: tests/system/test_fleet_page.py reloads after them."""


def test_every_form_leads_to_another_page(school: School) -> None:
    pages = [path for method, path in ROUTES if method == "POST"]
    ours = {path for path in pages if not path.startswith(("/api/", "/device/", *FLEET))}
    assert set(FORMS) == ours
    running = school.lesson(OTHER)
    values = ROOM | {"lesson": str(running.id), "code": str(running.code), "link": "1"}
    values |= {"marker": "1", "token": "1", "account": str(school.people["ian"].id)}
    with school.as_person("ann") as client:
        for path, fields in FORMS.items():
            answer = post(client, path.format(**values), **fields)
            assert (path, answer.status_code) == (path, 303), answer.text[:300]


def test_a_secret_is_shown_once(school: School) -> None:
    with school.as_person("ann") as client:
        post(client, "/account/tokens", name="script", days="1", scope="read")
        assert 'id="new-token"' in client.get("/account").text
        assert 'id="new-token"' not in client.get("/account").text
