"""A row that cannot be read keeps no other from being shown, and nothing from starting."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, text

from collector.integrations.webhook_receiver import target
from collector.integrations.webhooks import Webhooks
from collector.lessons.repository import LessonRepository
from collector.retention.erasing import erase_room
from collector.retention.runs import current_day
from collector.storage import clock_doubt, resend_mark
from collector.storage.database import begin, connect
from collector.storage.erasures import Erasures
from collector.storage.store import Store
from collector.storage.tables import deliveries, settings
from tests.collector.school import School
from tests.conftest import mood

pytestmark = pytest.mark.once

CHANGES = {
    "counts": "UPDATE mood SET counts = '{' WHERE room = 'r101'",
    "nested counts": f"UPDATE mood SET counts = '{'[' * 99_999}' WHERE room = 'r101'",
    "start": "UPDATE mood SET start = 'abc' WHERE room = 'r101'",
    "infinite start": "UPDATE mood SET start = 9e999 WHERE room = 'r101'",
    "received": "UPDATE mood SET received = 'abc' WHERE room = 'r101'",
    "seconds": "UPDATE mood SET seconds = x'ff00' WHERE room = 'r101'",
    "boot": "UPDATE mood SET boot = x'ff00' WHERE room = 'r101'",
    "summary": "UPDATE lesson SET summary = '{' WHERE room = 'r101'",
    "another summary": "UPDATE lesson SET summary = '{\"coverage\": 7}' WHERE room = 'r101'",
    "lesson": "UPDATE lesson SET start = 'abc' WHERE room = 'r101'",
    "end": "UPDATE lesson SET \"end\" = 'abc' WHERE room = 'r101'",
    "what waits and what is kept": """
        INSERT INTO delivery (url, body, tries, next, given_up)
        VALUES ('http://127.0.0.1:9/x', '{no', 0, 0, 0);
        UPDATE setting SET value = '{' WHERE key = 'identity';
        INSERT INTO setting (key, value) VALUES ('clock', '[]'), ('resend', '{');
        INSERT INTO setting (key, value) VALUES ('retention.day', '{')""",
}
"""SQLite takes all of these, whatever the columns' types."""


def fill(engine: Engine) -> None:
    now = datetime.now(timezone.utc) - timedelta(minutes=20)
    windows = [
        mood(room=room, device=room, seq=n, start=now + timedelta(seconds=15 * n))
        for room in ("r101", "r102")
        for n in range(8)
    ]
    Store(engine).add(windows)
    repository = LessonRepository(engine)
    for room in ("r101", "r102"):
        start = time.time() - 1800
        lesson = repository.begin("school", room, "Optics", "button", start=start)
        assert lesson is not None
        repository.end(lesson, start + 60)
        repository.keep_summary(lesson, {})


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_others_are_shown(tmp_path: Path, change: str) -> None:
    """After a start, with an erasure to be done again, and in every list."""
    with School(tmp_path) as school:
        fill(school.engine)
        erase_room(school.service.erasures, "school", "r103")
    engine = connect(f"sqlite:///{tmp_path}/c.sqlite")
    with engine.begin() as connection:
        for statement in change.split(";"):
            connection.execute(text(statement))
        connection.execute(text("DELETE FROM erasure"))
    engine.dispose()
    with School(tmp_path) as school, school.as_script() as client:
        names = {(one["site"], one["room"]) for one in client.get("/api/rooms").json()}
        assert ("school", "r102") in names
        assert len(client.get("/api/rooms/school/r102/moods").json()) == 8
        lessons = client.get("/api/lessons").json()
        assert "r102" in {one["room"] for one in lessons}
        for path in ("/", "/rooms/school/r101", "/rooms/school/r102", "/metrics", "/lessons"):
            assert client.get(path).status_code in {200, 404}, path
        erase_room(school.service.erasures, "school", "r101")


@pytest.mark.parametrize(
    "value", [None, [], {}, 7, "x", {"ahead_s": "x", "at": None}, {"since": 1}]
)
def test_settings_of_another_form_are_none(
    tmp_path: Path, postgres_url: str, value: object
) -> None:
    """In either database, where any JSON may stand."""
    for url in (f"sqlite:///{tmp_path}/c.sqlite", postgres_url):
        engine = connect(url)
        with begin(engine) as connection:
            for key in (clock_doubt.KEY, resend_mark.KEY, "retention.day"):
                connection.execute(insert(settings).values(key=key, value=value))
        clock_doubt.check(engine)
        assert current_day(engine) is None
        with begin(engine) as connection:
            assert resend_mark.read(connection) is None
            resend_mark.mark(connection)
        engine.dispose()


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("postgres").fresh())


@pytest.mark.parametrize("body", ["{no", "[]", "7", '{"data": []}', '{"data": 7}'])
def test_events_that_cannot_be_read_go_with_the_first_erasure(tmp_path: Path, body: str) -> None:
    """Nobody knows what they are about; until then they hold up no other."""
    engine = connect(f"sqlite:///{tmp_path}/c.sqlite")
    erasures = Erasures(engine, tmp_path)
    hooks = Webhooks(engine, [target("http://127.0.0.1:1/x", "whsec_c2VjcmV0", ["e"])], erasures)
    row = {"url": "http://127.0.0.1:1/x", "body": body, "tries": 0, "next": 0.0, "given_up": False}
    with engine.begin() as connection:
        connection.execute(insert(deliveries).values(row))
    hooks.receivers[0].round(time.time())
    erase_room(erasures, "school", "r101")
    with engine.connect() as connection:
        assert connection.execute(deliveries.select()).all() == []
    engine.dispose()
