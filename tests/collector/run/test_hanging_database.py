"""PostgreSQL hangs, restarts, or is taken by another collector, while a collector runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from collector.access.script import token_for
from collector.storage.database import connect
from collector.storage.sole_use import SoleUse
from edge.common.errors import UserError
from tests.collector.live.test_rooms import status
from tests.collector.school import School
from tests.collector.test_service import Room, play
from tests.conftest import KEEPS, Mosquitto, mood
from tests.free import wait
from tests.postgres import Postgres

AT_ONCE = 45
"""Requests that wait: more than there are threads for them."""


@pytest.fixture
def school(
    tmp_path: Path, mosquitto: Mosquitto, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> Iterator[School]:
    monkeypatch.setattr("collector.run.database_watch.EVERY_S", 0.1)
    monkeypatch.setattr("collector.storage.pulse.SILENT_S", 0.5)
    monkeypatch.setattr("collector.storage.pulse.GIVE_UP_S", 3.0)
    with School(tmp_path, mosquitto.port, database=postgres.fresh(), retention=KEEPS) as school:
        yield school


@pytest.fixture
def room(mosquitto: Mosquitto) -> Iterator[Room]:
    with play(mosquitto) as new_room:
        yield new_room


def health(school: School) -> dict[str, Any]:
    """Within two seconds, whatever hangs."""
    answer: dict[str, Any] = httpx.get(f"{school.service.url}/healthz", timeout=2).json()
    return answer


def is_well(school: School) -> bool:
    return str(health(school)["status"]) == "ok"


def end_sessions(engine: Engine) -> None:
    """Of all who have the database; as a restart of the server does, or an administrator."""
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )


def test_health_answers_and_windows_wait_while_the_database_hangs(
    school: School, room: Room, postgres: Postgres
) -> None:
    token = token_for(school.engine)
    answers: list[int] = []

    def ask() -> None:
        headers = {"authorization": f"Bearer {token}"}
        address = f"{school.service.url}/api/rooms"
        answers.append(httpx.get(address, timeout=60, headers=headers).status_code)

    room.send(mood(seq=0).encode())
    assert room.acks.get(timeout=30)["seq"] == 0
    with postgres.hanging():
        callers = [threading.Thread(target=ask) for _ in range(AT_ONCE)]
        for caller in callers:
            caller.start()
        room.send(mood(seq=1).encode())
        wait(lambda: "no answer for" in health(school)["workers"].get("database", ""))
        report = health(school)
        assert (report["database"], report["broker"]) == (False, True)
        # Who listens to the broker waits for nobody.
        room.send(status().encode(), "status")
        wait(lambda: school.service.rooms.view("school", "r101").status is not None)
        assert school.service.fatal_problem() == ""
        for caller in callers:
            caller.join()
        assert answers == [503] * AT_ONCE  # none waits for ever
        assert room.acks.empty()
    assert room.acks.get(timeout=60)["seq"] == 1
    begin = mood().start
    rows = school.store.between("school", "r101", begin, begin + timedelta(hours=1))
    assert sorted(one.seq for one in rows) == [0, 1]
    wait(lambda: is_well(school))


def test_sole_use_is_had_again_after_a_restart(school: School, postgres: Postgres) -> None:
    postgres.stop()
    wait(lambda: "not ours alone" in health(school)["workers"].get("database", ""))
    assert health(school)["database"] is False
    postgres.start()
    wait(lambda: is_well(school))
    other = connect(school.settings.database)
    with pytest.raises(UserError, match="another collector is using it"):
        SoleUse(other, 0.0)
    other.dispose()


def test_a_collector_that_came_first_after_an_outage_is_said_and_left_alone(
    school: School, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, is_held, may_look = school.service.database.watch, threading.Event(), threading.Event()
    look = watch.run_once

    def look_late() -> None:
        is_held.set()
        may_look.wait(60)
        look()

    monkeypatch.setattr(watch, "run_once", look_late)
    assert is_held.wait(60)
    other = connect(school.settings.database)
    end_sessions(school.engine)
    use = SoleUse(other)
    may_look.set()
    wait(lambda: "took it over" in school.service.fatal_problem())
    report = health(school)
    assert report["database"] is False
    assert "stop that one, or give this one a database of its own" in report["workers"]["database"]
    room.send(mood().encode())
    wait(lambda: not health(school)["database"] and "writer" in health(school)["workers"])
    assert room.acks.empty()
    use.end()
    other.dispose()
