"""One password tried on every name of a school slows whoever tries it, and no school that signs in.

Each test comes from an address of its own, as another network would.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import update

from collector.access.limits import Guesses
from collector.pages import password_sign_in
from collector.pages.password_sign_in import NETWORK
from collector.storage.tables import accounts
from tests.collector.school import PASSWORD, School, password_hash, post

pytestmark = pytest.mark.once

TEACHERS = [f"teacher{number}" for number in range(60)]


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    with School(tmp_path_factory.mktemp("spraying")) as server:
        server.staff()
        for name in TEACHERS:
            server.service.accounts.add(name, "teacher")
        with server.engine.begin() as connection:
            connection.execute(update(accounts).values(password=password_hash()))
        yield server


def tries(school: School, place: str, name: str, *passwords: str) -> list[int]:
    """What each password of one person in a new browser got."""
    transport = httpx.HTTPTransport(local_address=place)
    with school.client(transport=transport) as browser:
        return [
            post(browser, "/sign-in", name=name, password=password).status_code
            for password in passwords
        ]


def test_one_password_on_every_name_is_slowed(school: School) -> None:
    """Whoever sprays gets through a third of the names, and is told to wait from then on; from
    elsewhere, and in a browser that is known, everybody signs in meanwhile."""
    transport = httpx.HTTPTransport(local_address="127.0.0.21")
    with school.client(transport=transport) as browser:
        assert post(browser, "/sign-in", name="ann", password=PASSWORD).status_code == 303
        post(browser, "/sign-out")
        statuses = [tries(school, "127.0.0.21", name, "Autumn2026!")[0] for name in TEACHERS]
        assert statuses.count(403) <= NETWORK.free + 8  # some seconds pass meanwhile
        assert statuses[-1] == 429
        assert tries(school, "127.0.0.22", "tess", PASSWORD) == [303]
        assert post(browser, "/sign-in", name="ann", password=PASSWORD).status_code == 303


def test_a_school_that_signs_in_at_eight_waits_for_nothing(school: School) -> None:
    """Sixty people in new browsers behind one address, every fourth of whom mistypes."""
    for number, name in enumerate(TEACHERS):
        slip = ["x"] if number % 4 == 0 else []
        assert tries(school, "127.0.0.23", name, *slip, PASSWORD)[-1] == 303


def test_slips_of_many_people_do_not_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """One a minute for a whole day is what a school does; a right one takes back its own alone."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    guesses, key = Guesses(), ("network", "here")
    for _ in range(24 * 60):
        assert guesses.wait((NETWORK, key)) == 0.0
        now[0] += 60
    for _ in range(NETWORK.free):
        guesses.wait((NETWORK, key))
    assert guesses.wait((NETWORK, key)) > 0
    now[0] += NETWORK.longest_s
    assert guesses.wait((NETWORK, key)) == 0.0
    guesses.take_back(key)
    assert guesses.wait((NETWORK, key)) == 0.0
    assert 0 < guesses.wait((NETWORK, key)) <= NETWORK.longest_s


def test_whoever_sprays_for_a_day_gets_two_guesses_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, count = [1000.0], 0
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    guesses = Guesses()
    while now[0] < 1000.0 + 86_400:
        left = guesses.wait((password_sign_in.NETWORK, ("network", "here")))
        count += left == 0
        now[0] += left or 0.1
    assert count < 3000
