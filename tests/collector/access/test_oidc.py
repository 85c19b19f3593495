"""Sign-in as different providers have it: scopes, ways to groups, names, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from collector.access.accounts import Account, Accounts
from collector.access.oidc import LONGEST_SUBJECT, Provider, UnknownUser, _subject
from collector.config import OidcSettings
from collector.storage.database import connect
from tests.collector.school import School
from tests.conftest import ROOT
from tests.provider import SmallProvider

ENTRA = ["openid", "profile", "email", "offline_access"]
KEYCLOAK = ["openid", "profile", "email", "roles", "web-origins", "groups"]


def settings_of(issuer: str, **changes: Any) -> dict[str, Any]:
    usual = {"issuer": issuer, "client_id": "roommood", "client_secret": "s"}
    return usual | {"roles": {"heads": "administrator", "teachers": "teacher"}} | changes


def signed_in(folder: Path, provider: SmallProvider, **changes: Any) -> tuple[str, int]:
    """Where somebody ends up, and as how many accounts."""
    with School(folder, oidc=settings_of(provider.issuer, **changes)) as school:
        # The session's cookie is for the collector alone; httpx goes along with each redirect.
        with school.client(follow_redirects=True) as client:
            answer = client.get("/oidc?next=/account")
        return f"{answer.url.path} {answer.text}", len(school.service.accounts.all())


@pytest.mark.parametrize(
    ("scopes", "scope"),
    [
        (ENTRA, "openid profile email"),
        (KEYCLOAK, "openid profile email groups"),
        (None, "openid profile email groups"),
    ],
)
def test_groups_are_asked_for_where_there_are_any(
    tmp_path: Path, scopes: list[str] | None, scope: str
) -> None:
    provider = SmallProvider(scopes)
    provider.claims = {"groups": ["teachers"], "preferred_username": "tess"}
    page, accounts = signed_in(tmp_path, provider)
    assert provider.requests == [scope]
    assert page.startswith("/account ")
    assert accounts == 1
    provider.stop()


def test_the_page_says_what_the_provider_said(tmp_path: Path) -> None:
    provider = SmallProvider(None)
    provider.error = {"error": "access_denied", "error_description": "AADSTS50105: <b>assign</b>"}
    page, accounts = signed_in(tmp_path, provider)
    assert page.startswith("/sign-in ")
    assert (
        "The sign-in service says: “access_denied: AADSTS50105: &lt;b&gt;assign&lt;/b&gt;”" in page
    )
    assert accounts == 0
    provider.stop()


def test_nobody_else_writes_on_that_page(tmp_path: Path) -> None:
    provider = SmallProvider(None)
    with (
        School(tmp_path, oidc=settings_of(provider.issuer)) as school,
        school.client(follow_redirects=True) as client,
    ):
        for state in ("", "&state=guessed"):
            page = client.get(f"/oidc/back?error=x&error_description=Call+0900{state}")
            assert page.url.path == "/sign-in"
            assert "0900" not in page.text
    provider.stop()


def test_entras_overage_is_said_in_words(tmp_path: Path) -> None:
    provider = SmallProvider(ENTRA)
    provider.claims = {
        "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": "https://graph.example/getMemberObjects"}},
    }
    page, _ = signed_in(tmp_path, provider)
    assert "You are in more groups than" in page
    provider.stop()


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    engine = connect(f"sqlite:///{tmp_path_factory.mktemp('oidc')}/c.sqlite")
    directory = Accounts(engine)
    directory.add("ann", "administrator", password="correct horse battery")
    yield directory
    engine.dispose()


def provider_of(accounts: Accounts, **changes: Any) -> Provider:
    issuer = changes.pop("issuer", "https://id.school.example")
    return Provider(OidcSettings.model_validate(settings_of(issuer, **changes)), accounts)


def outcome(provider: Provider, claims: dict[str, Any]) -> Account | UnknownUser:
    """The account, or why there is none; anything else that is raised fails the test."""
    try:
        return provider.account(claims)
    except UnknownUser as unknown:
        return unknown


EMAIL = {"email": "teachers"}


@pytest.mark.parametrize(
    ("settings_changed", "claims", "role"),
    [
        ({}, {"groups": ["teachers"]}, "teacher"),
        ({}, {"groups": ["/teachers"]}, "teacher"),
        ({"roles": {"/teachers": "teacher"}}, {"groups": ["teachers"]}, "teacher"),
        ({"roles": {"/staff/it": "it"}}, {"groups": ["/staff/it", "/staff"]}, "it"),
        ({"claim": "realm_access.roles"}, {"realm_access": {"roles": ["teachers"]}}, "teacher"),
        (
            {"claim": "resource_access.roommood.roles"},
            {"resource_access": {"roommood": {"roles": ["heads", "teachers"]}}},
            "administrator",
        ),
        ({"claim": "https://school/groups"}, {"https://school/groups": ["teachers"]}, "teacher"),
        ({"claim": "a.b.c"}, {"a.b.c": "teachers"}, "teacher"),
        ({"claim": "a.b.c"}, {"a": {"b.c": "teachers"}}, "teacher"),
        (
            {"claim": "hd", "roles": {"school.example": "teacher"}},
            {"hd": "school.example"},
            "teacher",
        ),
        ({"claim": "roles"}, {"roles": ["teachers"], "hasgroups": True}, "teacher"),
        (
            {"claim": "resource_access.mood.school.example.roles"},
            {"resource_access": {"mood": {"x": 1}, "mood.school.example": {"roles": ["heads"]}}},
            "administrator",
        ),
        ({"claim": "email"}, EMAIL | {"email_verified": True}, "teacher"),
        ({"claim": "email"}, EMAIL | {"email_verified": "true"}, "teacher"),
        ({"claim": "email"}, EMAIL | {"email_verified": False}, "unverified"),
        ({"claim": "email"}, EMAIL | {"email_verified": "false"}, "unverified"),
        ({"claim": "email"}, EMAIL | {"email_verified": 1.5}, "unverified"),
        ({"claim": "email"}, EMAIL, "unverified"),
        ({"claim": "email"}, {"email_verified": False}, "no_group"),
        (
            {"claim": "phone_number"},
            {"phone_number": "teachers", "phone_number_verified": False},
            "unverified",
        ),
        ({}, {"groups": ["/a/teachers"]}, "no_group"),
        ({}, {"groups": ["Teachers", "teachers ", "//teachers"]}, "no_group"),
        ({}, {"groups": []}, "no_group"),
        ({}, {}, "no_group"),
        ({"claim": "realm_access.roles"}, {"realm_access": ["teachers"]}, "no_group"),
        ({}, {"hasgroups": True}, "overage"),
        ({}, {"hasgroups": "true"}, "overage"),
        ({}, {"_claim_names": {"groups": "src1"}}, "overage"),
        ({}, {"_claim_names": ["groups"]}, "no_group"),
        ({}, {"groups": ["pupils"], "hasgroups": True}, "no_group"),
    ],
)
def test_the_way_to_a_role(
    accounts: Accounts, settings_changed: dict[str, Any], claims: dict[str, Any], role: str
) -> None:
    result = outcome(provider_of(accounts, **settings_changed), {"sub": "way"} | claims)
    if isinstance(result, UnknownUser):
        assert result.kind == role
    else:
        assert result.role == role
        accounts.remove(result)


@pytest.mark.parametrize(
    "username",
    [
        "o'neil", "tess+it@school.example", "Lovelace, Ada", "Ada [IT] (new)", "x" * 200, "",
        "Ørsted", "李雷", "Дарья", "a@b@c", "...", "ada\u200b", "'; DROP TABLE account; --", "{0}",
    ],
)  # fmt: skip
def test_two_people_of_any_one_name(accounts: Accounts, username: str) -> None:
    provider = provider_of(accounts)
    claims = {"preferred_username": username, "groups": ["teachers"]}
    first, second = (provider.account(claims | {"sub": sub}) for sub in ("p-1", "p-2"))
    assert first.id != second.id
    assert first.name != second.name
    assert provider.account(claims | {"sub": "p-1"}).id == first.id
    for one in (first, second):
        accounts.remove(one)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://[::1]:8443/x",
        "https://" + "a" * 27 + ".b.example",
        "https://" + "a" * 27 + "-b.example",
        "https://HOST_1.example",
        "https://id.example/" + "t" * 150,
    ],
)
def test_an_issuer_of_any_name_makes_accounts(accounts: Accounts, issuer: str) -> None:
    provider = provider_of(accounts, issuer=issuer)
    claims = {"sub": "s" * 255, "iss": issuer, "groups": ["teachers"]}
    account = provider.account(claims)
    assert provider.account(claims).id == account.id
    other = provider.account(claims | {"sub": "s" * 254 + "t"})
    assert other.id != account.id
    for one in (account, other):
        accounts.remove(one)


def test_whose_address_is_no_longer_confirmed_does_not_stay(accounts: Accounts) -> None:
    provider = provider_of(accounts, claim="email")
    claims: dict[str, Any] = EMAIL | {"sub": "s"}
    account = provider.account(claims | {"email_verified": True})
    assert isinstance(outcome(provider, claims), UnknownUser)
    assert accounts.by_id(account.id).has_lapsed
    accounts.remove(account)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("scopes", ["profile"], "without openid nobody is identified"),
        ("claim", "preferred_username", "people may choose their preferred_username themselves"),
        ("issuer", "https://id.example/.well-known/openid-configuration", "leave out /.well-known"),
        ("issuer", "https://kim:pw@id.example", "without user and parameters"),
        ("issuer", "https://id.example?x=1", "without user and parameters"),
    ],
)
def test_what_cannot_sign_anybody_in_is_refused(key: str, value: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        OidcSettings.model_validate(settings_of("https://id.example") | {key: value})


def test_a_subject_is_no_longer_than_its_column() -> None:
    """SQLite takes any length; PostgreSQL refuses the row."""
    assert len(_subject("https://" + "i" * 190, "s" * 255)) <= LONGEST_SUBJECT
    assert _subject("https://i", "s") == "https://i s"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)
ANY_CLAIMS = st.fixed_dictionaries(
    {},
    optional={
        "sub": st.one_of(JSON, st.just("someone")),
        "iss": st.one_of(JSON, st.just("https://id.school.example")),
        "groups": st.one_of(JSON, st.lists(st.sampled_from(["teachers", "/teachers", "x"]))),
        "realm_access": st.one_of(JSON, st.just({"roles": ["teachers"]})),
        "_claim_names": JSON,
        "hasgroups": JSON,
        "preferred_username": st.one_of(JSON, st.text(max_size=250)),
        "email": JSON,
        "name": JSON,
    },
)


@given(ANY_CLAIMS, st.sampled_from(["groups", "realm_access.roles", "a..b", "."]))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_claims_of_any_shape_make_an_account_or_are_refused(
    accounts: Accounts, claims: dict[str, Any], claim: str
) -> None:
    result = outcome(provider_of(accounts, claim=claim), claims)
    if isinstance(result, UnknownUser):
        assert "\n" not in str(result)
        assert len(accounts.all()) == 1
    else:
        assert result.role == "teacher"
        accounts.remove(result)


def test_the_documents_examples_ask_for_what_each_provider_knows() -> None:
    text = (ROOT / "docs" / "school.md").read_text()
    examples = [
        yaml.safe_load(block.partition("```")[0])["oidc"]
        for block in text.split("```yaml\n")[1:]
        if block.startswith("oidc:")
    ]
    read = {one["issuer"]: OidcSettings.model_validate(one) for one in examples}
    entra = next(one for issuer, one in read.items() if "microsoftonline" in issuer)
    google = read["https://accounts.google.com"]
    assert set(entra.scopes) <= set(ENTRA)
    assert set(google.scopes) <= {"openid", "profile", "email"}
    assert google.claim == "hd"
    assert len(read) >= 3
