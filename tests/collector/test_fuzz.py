"""Schemathesis on the OpenAPI page, as each role and nobody: no server error, no access across."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from collector.access import guard
from collector.access.policy import RIGHTS, ROUTES
from tests.collector.school import OTHER, OWN, School
from tests.conftest import Mosquitto

pytestmark = pytest.mark.once

CASES = int(os.environ.get("FUZZ", "25"))
"""For each operation and role; more by FUZZ=1000."""

ROLES = ("nobody", "ann", "ian", "tess", "otto", "viewer")
CHECKS = [
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
]


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    folder: Path = tmp_path_factory.mktemp("school")
    broker = Mosquitto(folder)
    broker.start()
    patched = pytest.MonkeyPatch()
    patched.setattr(guard, "OFTEN", 1_000_000)
    with School(folder, broker.port) as server:
        server.staff()
        server.windows(OWN)
        server.windows(OTHER)
        server.lesson(OWN, teacher="tess")
        server.lesson(OTHER, teacher="otto")
        yield server
    patched.undo()
    broker.stop()


def headers_of(school: School, role: str) -> dict[str, str]:
    if role == "nobody":
        return {}
    if role == "viewer":
        return {"cookie": f"roommood={school.by_link(OWN).cookies['roommood']}"}
    account = school.people[role].id
    scopes = ["read", "control", "metrics"]
    token = school.service.sessions.make_token(account, "fuzz", scopes, 3600)
    return {"authorization": f"Bearer {token}"}


@pytest.mark.timeout(600)
def test_nothing_breaks_and_nobody_sees_more(school: School) -> None:
    """Each request is made up once, which costs more than to send it, and sent as every role."""
    headers = {role: headers_of(school, role) for role in ROLES}
    schema = schemathesis.openapi.from_dict(school.service.app.openapi())
    schema.config.update(base_url=school.service.url)
    tries = 0
    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]  # our own page is valid
        if operation.path.endswith("/live"):
            continue  # an endless answer; the matrix asks for it
        tries += 1
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            probe(operation.as_strategy(generation_mode=mode), headers)
    assert tries >= 8


def probe(cases: Any, headers: dict[str, dict[str, str]]) -> None:
    """Many requests of one kind, each answer to each role checked."""

    @settings(
        max_examples=CASES,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(cases)
    def ask(case: Any) -> None:
        for role in headers:
            ask_as(role, case)

    def ask_as(role: str, case: Any) -> None:
        note(f"as {role}")  # of what fails, the last one
        answer = case.call(headers=headers[role])
        case.validate_response(answer, checks=CHECKS)
        if RIGHTS[ROUTES[case.method.upper(), case.operation.path]] is None:
            return
        if role == "nobody":
            # What has the wrong form is refused before anybody asks who sent it.
            assert answer.status_code in (400, 401, 404, 405, 413, 415, 422)
        if answer.status_code == 200 and role in ("tess", "otto", "viewer"):
            theirs = "r102" if role == "otto" else "r101"
            names = re.findall(r'"room": ?"(r10[12])"', answer.text)
            assert set(names) <= {theirs}

    with contextlib.suppress(Unsatisfiable):  # no input of that kind can be made
        ask()
