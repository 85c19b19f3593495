"""Coming back from the school's provider: once for each question, and all of those who come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector.access import one_use
from collector.access.oidc import Provider, UnknownUser
from collector.access.one_use import OneUseNumbers
from tests.collector.access.test_oidc import ENTRA, settings_of
from tests.collector.school import School
from tests.free import wait
from tests.postgres import Postgres
from tests.provider import SmallProvider
from tests.security.test_rights import SETTINGS, claims

pytestmark = pytest.mark.once


@pytest.fixture
def provider() -> Iterator[SmallProvider]:
    one = SmallProvider(ENTRA)
    one.claims = {"groups": ["teachers"], "preferred_username": "tess"}
    yield one
    one.stop()


def step(client: httpx.Client, answer: httpx.Response) -> httpx.Response:
    """To where an answer leads."""
    return client.get(answer.headers["location"])


def test_an_answer_of_the_provider_is_good_once(tmp_path: Path, provider: SmallProvider) -> None:
    """Whoever saw it, with the cookie beside it, signs in no second time; nor does the code's
    being used up there decide, since not all providers keep to that."""
    answers: list[Any] = []

    def note(answer: dict[str, Any]) -> dict[str, Any]:
        answers.append(answer)
        return answer

    provider.answer = note
    with School(tmp_path, oidc=settings_of(provider.issuer)) as school, school.client() as client:
        at_provider = client.get("/oidc?next=/account")
        back = step(client, at_provider).headers["location"]
        cookies = dict(client.cookies)
        assert client.get(back).headers["location"] == "/account"
        for _ in range(2):
            with school.client(cookies=cookies) as thief:
                assert thief.get(back).headers["location"].startswith("/sign-in?wrong=")
                assert thief.get("/account").status_code == 303
        assert len(answers) == 1  # nobody asked again what the code is for
        # The same with an error in the answer, whose text would stand on the page again.
        with school.client(cookies=cookies) as thief:
            page = step(thief, thief.get(f"{back}&error=x&error_description=call-0900"))
            assert "0900" not in page.text


def test_of_many_at_once_with_one_answer_one_signs_in(
    tmp_path: Path, provider: SmallProvider
) -> None:
    with School(tmp_path, oidc=settings_of(provider.issuer)) as school, school.client() as client:
        back = step(client, client.get("/oidc?next=/account")).headers["location"]
        cookies = dict(client.cookies)
        with ThreadPoolExecutor(8) as pool:
            places = list(
                pool.map(
                    lambda _: httpx.get(back, cookies=cookies, timeout=60).headers["location"],
                    range(8),
                )
            )
        assert places.count("/account") == 1


def test_numbers_of_another_run_or_hour_are_no_good(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = OneUseNumbers()
    number, late = numbers.new(), numbers.new()
    assert not OneUseNumbers().use(number)
    assert numbers.use(number)
    assert not numbers.use(number)
    for odd in ("", ".", "a.b.c.d", f"{number.partition('.')[0]}.1.x.y", "\u0663.\u0663.\u0663"):
        assert not numbers.use(odd)
    now = time.monotonic() + one_use.LASTS_S + 1
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert not numbers.use(late)


def test_what_was_forgotten_is_no_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_use, "MOST_NUMBERS", 10)
    numbers = OneUseNumbers()
    known_numbers = [numbers.new() for _ in range(40)]
    assert all(numbers.use(number) for number in known_numbers)
    assert not any(numbers.use(number) for number in known_numbers)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_all_who_come_at_once_for_the_first_time_sign_in(
    tmp_path: Path, postgres: Postgres, kind: str
) -> None:
    """One identity in twelve browsers, and twelve people of one name."""
    database = f"sqlite:///{tmp_path}/c.sqlite" if kind == "sqlite" else postgres.fresh()
    with School(tmp_path, database=database) as school, ThreadPoolExecutor(12) as pool:
        provider = Provider(SETTINGS, school.service.accounts)
        same = pool.map(lambda _: provider.account(claims(sub="one")).id, range(12))
        assert len(set(same)) == 1
        people = list(pool.map(lambda n: provider.account(claims(sub=f"n{n}")), range(12)))
        assert len({account.id for account in people}) == 12
        assert len({account.name for account in people}) == 12


@pytest.mark.parametrize("odd", ["a\0b", "\ud800", "a\udfffb"])
def test_a_character_that_no_text_has_is_refused_in_words(
    tmp_path: Path, postgres: Postgres, odd: str
) -> None:
    """In what decides; what is only shown goes without it."""
    with School(tmp_path, database=postgres.fresh()) as school:
        provider = Provider(SETTINGS, school.service.accounts)
        for name in ("sub", "iss"):
            with pytest.raises(UnknownUser, match=f"claim '{name}'"):
                provider.account(claims(**{name: odd}))
        assert provider.account(claims(sub="host", iss="http://[")).name.endswith("@provider")
        for name in ("groups", "preferred_username"):
            value = ["teachers", odd] if name == "groups" else odd
            account = provider.account(claims(**{name: value}))
            assert account.display is None or account.display.isprintable()


def test_an_odd_subject_is_a_page_and_no_fault(
    tmp_path: Path, postgres: Postgres, provider: SmallProvider
) -> None:
    provider.claims = {"groups": ["teachers"], "sub": "a\0b"}
    settings = settings_of(provider.issuer)
    with (
        School(tmp_path, oidc=settings, database=postgres.fresh()) as school,
        school.client(follow_redirects=True) as client,
    ):
        answer = client.get("/oidc?next=/account")
        assert (answer.status_code, answer.url.path) == (200, "/sign-in")
        wait(lambda: any("claim 'sub'" in entry.about for entry in school.service.audit.newest(9)))
