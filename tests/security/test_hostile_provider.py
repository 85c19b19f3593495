"""Whoever speaks as the school's provider and cannot sign for it signs nobody in."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.collector.access.test_oidc import ENTRA, settings_of
from tests.collector.school import School
from tests.provider import SmallProvider

pytestmark = pytest.mark.once

INTRUDER = {"sub": "intruder", "groups": ["heads"], "preferred_username": "intruder"}


def _without_signature(answer: dict[str, Any]) -> dict[str, Any]:
    """The same claims, as `alg: none` has them, for somebody else."""
    _, claims, _ = answer["id_token"].split(".")
    content = json.loads(base64.urlsafe_b64decode(claims + "==")) | INTRUDER
    parts = [{"alg": "none"}, content]
    encoded = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in parts]
    return answer | {"id_token": b".".join([*encoded, b""]).decode()}


ANSWERS: dict[str, Any] = {
    "no token, and an identity beside": lambda a: {
        "access_token": "a",
        "token_type": "Bearer",
        "userinfo": INTRUDER,
    },
    "an empty token": lambda a: a | {"id_token": "", "userinfo": INTRUDER},
    "null": lambda a: a | {"id_token": None, "userinfo": INTRUDER},
    "a list": lambda a: a | {"id_token": ["x"], "userinfo": INTRUDER},
    "a number": lambda a: a | {"id_token": 5, "userinfo": INTRUDER},
    "no signature": _without_signature,
    "a list in place of all": lambda a: [a],
    "a text in place of all": lambda a: "x",
    "nothing": lambda a: None,
}


@pytest.mark.parametrize(
    ("answer", "algorithms"),
    [
        *((answer, ["RS256"]) for answer in ANSWERS),
        *(("no signature", algorithms) for algorithms in (["none", "HS256"], ["none", "RS256"])),
    ],
)
def test_nobody_comes_in_without_a_signed_identity(
    answer: str, algorithms: list[str], tmp_path: Path
) -> None:
    provider = SmallProvider(ENTRA)
    provider.claims = {"groups": ["heads"]}
    provider.answer = ANSWERS[answer]
    provider.metadata_changes = {"id_token_signing_alg_values_supported": algorithms}
    _is_refused(provider, tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"token_endpoint": None},
        {"token_endpoint": 5},
        {"authorization_endpoint": 5},
        {"jwks_uri": []},
        {"id_token_signing_alg_values_supported": 5},
        {"id_token_signing_alg_values_supported": {"none": 1}},
        {"issuer": None},
        {"jwks": "x"},
    ],
    ids=str,
)
def test_odd_metadata_is_refused_in_words(changes: dict[str, Any], tmp_path: Path) -> None:
    provider = SmallProvider(ENTRA)
    provider.answer = ANSWERS["no token, and an identity beside"]
    provider.metadata_changes = changes
    _is_refused(provider, tmp_path)


def _is_refused(provider: SmallProvider, tmp_path: Path) -> None:
    with (
        School(tmp_path, oidc=settings_of(provider.issuer)) as school,
        school.client(follow_redirects=True) as client,
    ):
        answer = client.get("/oidc?next=/account")
        assert answer.status_code < 500  # a page that says why
        assert answer.url.path != "/account"
        assert school.service.accounts.all() == []
        assert client.get("/account", follow_redirects=False).status_code == 303
    provider.stop()
