"""A feed that goes on ends with what it was opened by, whether there is news or not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timezone
from typing import NamedTuple

import httpx
import pytest
from paho.mqtt import publish
from sqlalchemy import update

from collector.access import guard
from collector.access.accounts import Account
from collector.storage.tables import links, sessions, tokens
from tests.collector.school import OTHER, OWN, PASSWORD, School, post
from tests.conftest import Mosquitto, mood

pytestmark = pytest.mark.once

FEEDS = ("/api/rooms/school/r101/live", "/rooms/school/r101/live")


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    folder = tmp_path_factory.mktemp("feeds")
    broker = Mosquitto(folder)
    broker.start()
    with School(folder, broker.port) as server:
        server.staff()
        server.windows(OWN)
        yield server
    broker.stop()


def publish_window(school: School) -> None:
    news = mood(seq=time.time_ns() // 10**6 % 10**9, start=datetime.now(timezone.utc))
    topic, port = "roommood/v1/school/r101/mood", school.settings.broker.port
    publish.single(topic, news.encode(), qos=1, port=port)


class Viewer(NamedTuple):
    """Somebody who watches, and whose right it hangs on."""

    school: School
    client: httpx.Client
    account: Account

    def set(self, table: object, **values: object) -> None:
        with self.school.engine.begin() as connection:
            connection.execute(update(table).values(**values))  # type: ignore[arg-type]

    def cut(self) -> None:
        for link in self.school.service.sessions.links(OWN):
            self.school.service.sessions.cut(OWN, link.id)

    def revoke(self) -> None:
        for token in self.school.service.sessions.tokens(self.account.id):
            self.school.service.sessions.revoke(self.account.id, token.id)


ENDS: dict[str, dict[str, Callable[[Viewer], object]]] = {
    "link": {
        "is cut": Viewer.cut,
        "has expired": lambda one: one.set(sessions, expires=time.time() - 1),
        "the maker is gone": lambda one: one.school.service.accounts.remove(one.account),
        "the maker lost the room": lambda one: one.school.service.accounts.change(
            one.account, rooms=[OTHER]
        ),
    },
    "token": {
        "is revoked": Viewer.revoke,
        "has expired": lambda one: one.set(tokens, expires=time.time() - 1),
        "the account is gone": lambda one: one.school.service.accounts.remove(one.account),
    },
    "session": {
        "signs out": lambda one: post(one.client, "/sign-out"),
        "has expired": lambda one: one.set(sessions, expires=time.time() - 1),
        "the account is gone": lambda one: one.school.service.accounts.remove(one.account),
        "a new password": lambda one: one.school.service.accounts.change(
            one.account, password="another password"
        ),
    },
}


def client_of(school: School, way: str, account: Account) -> httpx.Client:
    if way == "token":
        secret = school.service.sessions.make_token(account.id, "script", ["read"], 3600)
        return school.client(headers={"authorization": f"Bearer {secret}"})
    client = school.client()
    if way == "link":
        secret = school.service.sessions.make_link("zoe", 3600, OWN, account=account.id)
        assert client.get(f"/enter/{secret}").status_code == 303
    else:
        assert post(client, "/sign-in", name="zoe", password=PASSWORD).status_code == 303
    return client


@pytest.mark.parametrize("silent", [True, False])
@pytest.mark.parametrize("address", FEEDS)
@pytest.mark.parametrize(("way", "end"), [(way, end) for way in ENDS for end in ENDS[way]])
def test_a_feed_ends_with_what_it_hangs_on(
    school: School,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    end: str,
    address: str,
    silent: bool,
) -> None:
    """With news nothing more is told; without, the connection is closed all the same."""
    monkeypatch.setattr(guard, "SILENCE_S", 0.3 if silent else 600.0)
    account = school.service.accounts.add("zoe", "teacher", [OWN], PASSWORD)
    try:
        with (
            closing(client_of(school, way, account)) as client,
            client.stream("GET", address) as feed,
        ):
            assert feed.status_code == 200
            lines = feed.iter_lines()
            next(line for line in lines if line.startswith("data:"))
            with (
                client_of(school, way, account)
                if way == "token"
                else school.client(cookies=client.cookies) as other
            ):
                ENDS[way][end](Viewer(school, other, account))
            if not silent:
                publish_window(school)
            assert not any(line.startswith("data:") for line in lines)
    finally:
        record = school.service.accounts.by_name_or_none("zoe")
        if record is not None:
            school.service.accounts.remove(record)
        with school.engine.begin() as connection:
            connection.execute(links.delete())


def test_a_feed_without_news_goes_on_while_one_may(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "SILENCE_S", 0.05)
    with school.as_person("tess") as client, client.stream("GET", FEEDS[0]) as feed:
        lines = feed.iter_lines()
        next(line for line in lines if line.startswith("data:"))
        time.sleep(0.5)
        publish_window(school)
        assert any(line.startswith("data:") for line in lines)
