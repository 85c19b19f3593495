"""Forms that another site fills in, and forms that nobody's browser sends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from collector.access.policy import ROUTES
from tests.collector.school import PASSWORD, School, token_in

pytestmark = pytest.mark.once

FORMS = sorted(
    path
    for method, path in ROUTES
    if method == "POST" and not path.startswith(("/api/", "/device/"))
)


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    with School(tmp_path_factory.mktemp("forms")) as server:
        server.staff()
        yield server


def test_nobody_is_signed_in_unasked_as_somebody_else(school: School) -> None:
    """By a form on another site, in a browser that has never been here and so has no cookie."""
    with school.client() as client:
        answer = client.post("/sign-in", data={"name": "ann", "password": PASSWORD})
        assert answer.status_code == 403
        assert not client.cookies
        with school.client(cookies=client.cookies) as after:
            assert after.get("/api/rooms").status_code == 401


@pytest.mark.parametrize("path", FORMS)
def test_no_form_is_taken_without_the_token_of_its_page(school: School, path: str) -> None:
    """Whether a browser has cookies of ours or none."""
    with school.client() as stranger, school.as_person("ann") as ann:
        for client in (stranger, ann):
            assert client.post(re.sub(r"\{\w+\}", "1", path), data={}).status_code == 403


@pytest.mark.parametrize("token", ["é", "ÿ", "ж", "\ufffd"])
def test_a_token_of_any_letters_is_no_fault_of_ours(school: School, token: str) -> None:
    """Each request of an anonymous stranger that ends in a traceback fills the log."""
    with school.client() as client:
        own = token_in(client.get("/sign-in").text)
        assert own.isascii()
        for path in FORMS:
            where = re.sub(r"\{\w+\}", "1", path)
            kind = (b"content-type", b"application/x-www-form-urlencoded")
            field = client.post(where, content=f"csrftoken={quote(token)}", headers=[kind])
            header = client.post(where, headers=[kind, (b"x-csrftoken", token.encode())])
            assert {field.status_code, header.status_code} <= {400, 403}, path
