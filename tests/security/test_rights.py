"""Rights hang on an account's number, and end with what they hang on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone

import httpx
import pytest
from sqlalchemy import update

from collector.access.accounts import Account, Accounts
from collector.access.oidc import Provider, UnknownUser
from collector.access.script import token_for
from collector.config import OidcSettings
from collector.storage.database import connect
from collector.storage.tables import accounts as account_table
from edge.common.errors import UserError
from tests.collector.school import OTHER, OWN, PASSWORD, School, post
from tests.conftest import Mosquitto, mood

pytestmark = pytest.mark.once

SETTINGS = OidcSettings.model_validate(
    {
        "issuer": "https://idp.example",
        "client_id": "roommood",
        "client_secret": "secret",
        "roles": {"teachers": "teacher", "heads": "administrator"},
    }
)


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    folder = tmp_path_factory.mktemp("rights")
    broker = Mosquitto(folder)
    broker.start()
    with School(folder, broker.port) as server:
        server.staff()
        for room in (OWN, OTHER):
            server.windows(room)
        yield server
    broker.stop()


@pytest.fixture
def zoe(school: School) -> Iterator[Account]:
    """A teacher of OWN, gone after the test."""
    account = school.service.accounts.add("zoe", "teacher", [OWN], PASSWORD)
    yield account
    record = school.service.accounts.by_name_or_none("zoe")
    if record is not None:
        school.service.accounts.remove(record)
    school.signs_in_anew("zoe")


@contextmanager
def by_token(school: School, account: Account) -> Iterator[httpx.Client]:
    secret = school.service.sessions.make_token(account.id, "script", ["read"], 365 * 86_400)
    with school.client(headers={"authorization": f"Bearer {secret}"}) as client:
        yield client


@contextmanager
def by_link(school: School, account: Account) -> Iterator[httpx.Client]:
    """A viewer's session, by a link that somebody made."""
    secret = school.service.sessions.make_link(account.name, 30 * 86_400, OWN, account=account.id)
    with school.client() as client:
        assert client.get(f"/enter/{secret}").status_code == 303
        yield client


def moods(client: httpx.Client) -> int:
    return client.get("/api/rooms/school/r101/moods").status_code


@contextmanager
def by_password(school: School, account: Account) -> Iterator[httpx.Client]:
    with school.as_person(account.name) as client:
        yield client


def test_a_shared_report_ends_with_the_right_of_whoever_shared_it(
    school: School, zoe: Account
) -> None:
    lesson = school.repository.begin(*OWN, "Optics", "button", teacher="zoe", account=zoe.id)
    other = school.old_lesson()
    assert lesson is not None
    school.repository.describe(lesson, "Optics", "zoes-own-notes")
    with by_password(school, zoe) as client:
        answer = post(client, f"/lessons/{lesson.id}/links", days="7")
        assert answer.headers["location"] == f"/lessons/{lesson.id}"
        page = client.get(answer.headers["location"]).text
        assert "/enter/" not in client.get(answer.headers["location"]).text  # it is said once
    secret = page.partition("/enter/")[2].partition("<")[0]
    with school.client() as reader:
        assert reader.get(f"/enter/{secret}").headers["location"] == f"/lessons/{lesson.id}"
        report = reader.get(f"/lessons/{lesson.id}")
        assert report.status_code == 200
        assert "zoes-own-notes" not in report.text
        assert reader.get(f"/lessons/{lesson.id}/report.csv").status_code == 403
        assert reader.get(f"/lessons/{other.id}").status_code == 403
        assert moods(reader) == 403
        # The lesson goes on: without the room it is not zoe's to show, and with it again it is not
        # shown again by itself.
        school.service.accounts.change(zoe, rooms=[OTHER])
        assert reader.get(f"/lessons/{lesson.id}").status_code in (303, 403)
    with by_password(school, zoe) as client:
        school.service.accounts.change(zoe, rooms=[OWN])
    school.signs_in_anew("zoe")
    with by_password(school, zoe) as client, school.client() as reader:
        post(client, f"/lessons/{lesson.id}/links", days="1")
        page = client.get(f"/lessons/{lesson.id}").text
        secret = page.partition("/enter/")[2].partition("<")[0]
        assert reader.get(f"/enter/{secret}").status_code == 303
        assert reader.get(f"/lessons/{lesson.id}").status_code == 200
        for link in school.service.sessions.links(OWN, lesson.id):
            post(client, f"/lessons/{lesson.id}/links/{link.id}/cut", confirm="yes")
        assert reader.get(f"/lessons/{lesson.id}").status_code == 303
        assert reader.get(f"/enter/{secret}").status_code == 410
    school.repository.end(lesson)


WAYS = {"session": by_password, "token": by_token, "link": by_link}
ENDS: dict[str, Callable[[Accounts, Account], None]] = {
    "a new password": lambda accounts, one: accounts.change(one, password="another password"),
    "the account is gone": lambda accounts, one: accounts.remove(one),
    "the room is gone": lambda accounts, one: accounts.change(one, rooms=[OTHER]),
    "the role is gone": lambda accounts, one: accounts.change(one, role="it"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("end", ENDS)
def test_what_somebody_was_given_ends_with_what_it_hangs_on(
    school: School, zoe: Account, way: str, end: str
) -> None:
    with WAYS[way](school, zoe) as client:
        assert moods(client) == 200
        with client.stream("GET", "/api/rooms/school/r101/live") as feed:
            lines = feed.iter_lines()
            next(line for line in lines if line.startswith("data:"))
            ENDS[end](school.service.accounts, zoe)
            news = mood(seq=time.monotonic_ns() // 1000, start=datetime.now(timezone.utc))
            school.service.rooms.update_mood(
                news, time.time()
            )  # before it is told, the right is asked
            assert not any(line.startswith("data:") for line in lines)
        assert moods(client) in (401, 403)


def test_nothing_comes_back_with_the_room(school: School, zoe: Account) -> None:
    with by_link(school, zoe) as client:
        school.service.accounts.change(zoe, rooms=[])
        school.service.accounts.change(zoe, rooms=[OWN])
        assert moods(client) == 401


def test_a_lesson_ends_when_its_room_is_taken_away(school: School, zoe: Account) -> None:
    lesson = school.repository.begin(*OWN, "Optics", "button", teacher="zoe", account=zoe.id)
    assert lesson is not None
    with school.as_person("zoe") as client:
        assert client.get(f"/api/lessons/{lesson.id}").status_code == 200
        school.service.accounts.change(zoe, rooms=[OTHER])
        old_lesson = school.repository.lesson(lesson.id)
        assert old_lesson.end is not None
        assert old_lesson.code is None
        assert client.get(f"/api/lessons/{lesson.id}").status_code == 200  # up to then it is theirs


def test_a_lesson_that_goes_on_needs_its_room(school: School, zoe: Account) -> None:
    """By the timetable, in a room that was never theirs."""
    lesson = school.repository.begin(*OTHER, "Waves", "timetable", teacher="zoe")
    assert lesson is not None
    with school.as_person("zoe") as client:
        assert client.get(f"/api/lessons/{lesson.id}").status_code == 403
        assert lesson.id not in [one["id"] for one in client.get("/api/lessons").json()]
        school.repository.end(lesson)
        assert client.get(f"/api/lessons/{lesson.id}").status_code == 200


def test_a_namesake_inherits_nothing(school: School, zoe: Account) -> None:
    accounts = school.service.accounts
    lesson = school.repository.begin(*OWN, "Optics", "button", teacher="zoe", account=zoe.id)
    assert lesson is not None
    school.repository.end(lesson)
    accounts.remove(zoe)
    accounts.add("zoe", "teacher", [OWN], PASSWORD)
    with school.as_person("zoe") as client:
        assert client.get(f"/api/lessons/{lesson.id}").status_code == 403
        assert client.get("/api/lessons").json() == []


def provider(school: School) -> Provider:
    return Provider(SETTINGS, school.service.accounts)


def claims(**changes: object) -> dict[str, object]:
    return {
        "iss": "https://idp.example",
        "sub": "u-1",
        "preferred_username": "ada",
        "groups": ["teachers"],
    } | changes


def test_whoever_loses_the_group_loses_sessions_tokens_and_links(school: School) -> None:
    accounts = school.service.accounts
    ada = provider(school).account(claims(sub="u-2"))
    accounts.change(ada, rooms=[OWN])
    session = school.service.sessions.begin(ada)
    with by_token(school, ada) as token, by_link(school, ada) as link:
        assert [moods(token), moods(link)] == [200, 200]
        with pytest.raises(UnknownUser, match="in no group"):
            provider(school).account(claims(sub="u-2", groups=["pupils"]))
        assert [moods(token), moods(link)] == [401, 401]
        assert school.service.sessions.of_cookie(session) is None
        provider(school).account(claims(sub="u-2"))
        assert moods(token) == 200  # they belong here again
        # Whoever does not come back to the provider is not confirmed, and rests as well.
        late = {"confirmed": time.time() - SETTINGS.confirm_hours * 3600 - 1}
        with school.engine.begin() as connection:
            where = account_table.c.id == ada.id
            connection.execute(update(account_table).where(where).values(late))
        assert [moods(token), moods(link)] == [401, 401]
    accounts.remove(ada)


def test_what_somebody_calls_themselves_decides_nothing(school: School) -> None:
    """Not whose lessons they have, and not whom the log names."""
    accounts = school.service.accounts
    lesson = school.lesson(OWN, title="Of tess")
    school.repository.end(lesson)
    for number, name in enumerate(("tess", "the collector", "ann", "Ann", "\u0430nn", "a\nb", "")):
        who = provider(school).account(claims(sub=f"n-{number}", preferred_username=name))
        assert who.name not in ("tess", "ann", "the collector")
        assert who.name.isascii()
        assert who.name.isprintable()
        assert "@idp.example" in who.name
        assert who.timetable is None
        assert school.repository.of(who.id, frozenset()) == []
        assert accounts.by_subject(f"https://idp.example n-{number}") == who
        accounts.remove(who)
    ada = provider(school).account(claims())
    account = provider(school).account(claims(preferred_username="someone else"))
    assert (account.id, account.name, account.display) == (ada.id, ada.name, "someone else")
    accounts.remove(ada)


def test_an_administrator_says_what_the_timetable_calls_them(school: School) -> None:
    accounts = school.service.accounts
    ada = provider(school).account(claims(sub="u-3"))
    with school.as_person("ann") as client:
        fields = {"role": "teacher", "rooms": "school/r101", "timetable": "Dr. Lovelace"}
        assert post(client, f"/accounts/{ada.id}", **fields).status_code == 303
    lesson = school.repository.begin(*OWN, "Engines", "timetable", teacher="Dr. Lovelace")
    assert lesson is not None
    assert lesson.account == ada.id
    with pytest.raises(UserError, match="calls another account so"):
        accounts.call(accounts.by_name("otto"), "Dr. Lovelace")
    accounts.remove(ada)


@pytest.mark.parametrize(
    "odd",
    [
        {"groups": 5},
        {"groups": {"teachers": True}},
        {"groups": ["teachers", 5]},
        {"groups": [["teachers"]]},
        {"sub": 5},
        {"sub": ""},
        {"sub": None},
        {"sub": "x" * 300},
        {"iss": ["https://idp.example"]},
        {"iss": "x" * 300},
    ],
)
def test_claims_of_any_shape_are_refused_in_words(school: School, odd: dict[str, object]) -> None:
    with pytest.raises(UnknownUser, match="claim"):
        provider(school).account(claims(**odd))


@pytest.mark.parametrize("odd", [5, None, {}, [], True, "x" * 5000, "\u202egro.live"])
def test_a_name_of_any_shape_is_a_name(school: School, odd: object) -> None:
    who = provider(school).account(claims(sub="odd", preferred_username=odd))
    assert who.display is None or (who.display.isprintable() and len(who.display) <= 64)
    school.service.accounts.remove(who)


@pytest.mark.parametrize(
    "name", ["the collector", "The Command Line", "somebody", "link 7", "\u0430nn", "a\nb", "a\tb"]
)
def test_a_name_that_could_be_taken_for_another_is_refused(school: School, name: str) -> None:
    with pytest.raises(UserError):
        school.service.accounts.add(name, "teacher", [], PASSWORD)


def by_command(school: School) -> None:
    """As `roommood collector account add` does, beside the collector."""
    engine = connect(school.settings.database)
    Accounts(engine).add("head", "administrator", password=PASSWORD)
    engine.dispose()


def by_provider(school: School) -> None:
    Provider(SETTINGS, school.service.accounts).account(claims(groups=["heads"]))


def by_script(school: School) -> None:
    token_for(school.engine)


@pytest.mark.parametrize("way", [by_command, by_provider, by_script])
def test_the_first_runs_address_is_over_with_the_first_administrator(
    tmp_path_factory: pytest.TempPathFactory, way: Callable[[School], None]
) -> None:
    with School(tmp_path_factory.mktemp("first")) as school, school.client() as client:
        address = school.service.first_run()
        assert address is not None
        assert client.get(address).status_code == 303
        assert client.get("/accounts").status_code == 200
        way(school)
        assert client.get("/accounts").status_code == 303  # to sign in
        assert client.get(address).status_code == 410
        assert school.service.first_run() is None
