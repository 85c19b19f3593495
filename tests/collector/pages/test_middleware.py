"""A user's error reaches a program in the parts in which it was raised."""

from __future__ import annotations

from typing import Any, cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from collector.fleet.enrolment import EnrolmentDenied
from collector.pages.middleware import answer_errors
from edge.common.errors import UserError

PARTS = ("broken: badly", "room: r101", "pip install 'a[b]': then wait: a minute")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UserError(*PARTS), 409),
        (EnrolmentDenied(*PARTS), 403),
        (EnrolmentDenied(*PARTS, often=True), 429),
    ],
)
@pytest.mark.parametrize("path", ["/api/x", "/device/x"])
def test_an_error_is_answered_in_its_parts(path: str, error: UserError, status: int) -> None:
    app = FastAPI()
    answer_errors(app, cast(Any, None), cast(Any, None))  # data need no pages

    @app.get(path)
    def fail() -> None:
        raise error

    answer = TestClient(app).get(path)
    assert answer.status_code == status
    assert answer.json() == {"detail": str(error), **error.fields()}
