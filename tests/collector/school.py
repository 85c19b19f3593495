"""A collector with people, rooms and a lesson, for tests of who may do what."""

from __future__ import annotations

import re
import threading
import time
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
from sqlalchemy import event, update

from collector.access.accounts import Account
from collector.access.hashing import hash_password
from collector.access.script import token_for
from collector.config import CollectorSettings
from collector.lessons.repository import Lesson, LessonRepository
from collector.service import Service
from collector.storage.database import connect
from collector.storage.store import Store
from collector.storage.tables import accounts
from edge.protocol.messages import Mood
from tests.conftest import mood
from tests.free import free_port, wait

PASSWORD = "correct horse battery"
OWN, OTHER = ("school", "r101"), ("school", "r102")
PEOPLE = {"ann": "administrator", "ian": "it", "tess": "teacher", "otto": "teacher"}
"""tess teaches in OWN, otto in OTHER."""


@cache
def password_hash() -> str:
    """Of PASSWORD; made once in each of pytest's workers, since one takes a fifth of a second."""
    return hash_password(PASSWORD)


class School:
    """A running collector; clients of it per person."""

    def __init__(self, folder: Path, broker: int | None = None, **changes: Any) -> None:
        settings = {
            "database": f"sqlite:///{folder}/c.sqlite",
            "state": folder / "state",
            "web": {"port": 0},
            "broker": {"port": broker or free_port()},
        }
        self.settings = CollectorSettings.model_validate(settings | changes)
        self.service = Service(self.settings)
        self._held_up: set[str] = set()
        event.listen(self.service.erasures.engine, "before_cursor_execute", self._note_statement)
        self.engine = connect(self.settings.database)
        """The tests' own way to the database, beside the collector's."""
        self.store = Store(self.engine)
        self.repository = LessonRepository(self.engine)
        self._old = 0
        self._ready = "/sign-in" if broker is None else "/healthz"
        self.people: dict[str, Account] = {}
        self._cookies: dict[str, httpx.Cookies] = {}

    def __enter__(self) -> School:
        self.service.start()
        # With a broker, until it hears what rooms tell.
        ready = f"{self.service.url}{self._ready}"
        wait(lambda: httpx.get(ready, timeout=60).status_code == 200)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.service.stop()
        self.engine.dispose()
        assert self._held_up == set()

    def _note_statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        """The event loop and the network's thread wait for no database: all wait for them."""
        thread = threading.current_thread().name
        if thread == "web" or thread.startswith("paho-mqtt-client"):
            self._held_up.add(f"{thread}: {statement}")

    def staff(self) -> None:
        """Everybody's account, each with PASSWORD."""
        rooms = {"tess": [OWN], "otto": [OTHER]}
        for name, role in PEOPLE.items():
            self.service.accounts.add(name, role, rooms.get(name, ()))
        with self.engine.begin() as connection:
            theirs = update(accounts).where(accounts.c.name.in_(PEOPLE))
            connection.execute(theirs.values(password=password_hash()))
        self.people = {name: self.service.accounts.by_name(name) for name in PEOPLE}

    def client(self, **more: Any) -> httpx.Client:
        return httpx.Client(base_url=self.service.url, timeout=20, **more)

    def as_script(self) -> httpx.Client:
        """With a token that reads everything."""
        return self.client(headers={"authorization": f"Bearer {token_for(self.engine)}"})

    def as_person(self, name: str) -> httpx.Client:
        """Signed in with the password; the second time, with the same session."""
        if name not in self._cookies:
            with self.client() as client:
                answer = post(client, "/sign-in", name=name, password=PASSWORD, next="/retention")
                assert answer.status_code == 303, answer.text
                self._cookies[name] = client.cookies
        return self.client(cookies=self._cookies[name])

    def signs_in_anew(self, name: str) -> None:
        """The next time, as after a change of what they may do."""
        self._cookies.pop(name, None)

    def by_link(self, room: tuple[str, str]) -> httpx.Client:
        secret = self.service.sessions.make_link("ann", 3600, room, account=self.people["ann"].id)
        with self.client() as client:
            assert client.get(f"/enter/{secret}").status_code == 303
        return self.client(cookies=client.cookies)

    def windows(self, room: tuple[str, str], count: int = 40, **changes: Any) -> list[Mood]:
        """The last minutes of a room, kept and shown."""
        now = datetime.now(timezone.utc)
        moods = [
            mood(
                site=room[0],
                room=room[1],
                device=room[1],
                seq=seq,
                start=now - timedelta(seconds=15 * (count - seq)),
                **changes,
            )
            for seq in range(count)
        ]
        self.store.add(moods)
        for one in moods:
            self.service.rooms.update_mood(one, time.time())
        return moods

    def lesson(self, room: tuple[str, str] = OWN, minutes: float = 10, **changes: Any) -> Lesson:
        title = changes.pop("title", "Optics")
        options: dict[str, Any] = {"teacher": "tess", "start": time.time() - 60 * minutes}
        entry = self.repository.begin(*room, title, "button", **options | changes)
        assert entry is not None
        return entry

    def old_lesson(self, room: tuple[str, str] = OWN) -> Lesson:
        """One that is over, and of which there are no windows; never at the time of another.

        In time that was erased no lesson begins.
        """
        self._old += 1
        entry = self.lesson(room, minutes=5000 + 60 * self._old)
        self.repository.end(entry, entry.start + 2700)
        return self.repository.lesson(entry.id)


def report_reader(school: School, lesson: Lesson) -> httpx.Client:
    """Whoever has a link to one lesson's report."""
    room, ann = (lesson.site, lesson.room), school.people["ann"].id
    secret = school.service.sessions.make_link("ann", 3600, room, account=ann, lesson=lesson.id)
    with school.client() as client:
        assert client.get(f"/enter/{secret}").status_code == 303
    return school.client(cookies=client.cookies)


def token_in(page: str) -> str:
    """The form's own token against forgery."""
    match = re.search(r'name="csrftoken" value="([^"]+)"', page)
    assert match is not None, page[:500]
    return match.group(1)


def post(client: httpx.Client, path: str, **fields: Any) -> httpx.Response:
    """As a form on one of our pages does."""
    token = client.cookies.get("csrftoken") or token_in(client.get("/sign-in").text)
    return client.post(path, data=fields | {"csrftoken": token})
