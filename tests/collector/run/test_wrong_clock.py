"""A server whose clock is wrong: nothing is thrown away by it, and health says so.

Played the other way round: the devices' clocks, which are right, differ from this machine's.
"""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, func, select

from collector.live import own_clock
from collector.retention.erasing import apply_notes, erase_room
from collector.run import clock_watch
from collector.storage import clock_doubt
from collector.storage.erasure_notes import Erasure, ErasureNotes
from collector.storage.erasures import Erasures
from collector.storage.tables import moods
from edge.common.clock import trust
from edge.common.errors import UserError
from tests.collector.school import OWN, School, post
from tests.collector.test_service import Room
from tests.conftest import BOOT, Mosquitto, mood
from tests.free import wait

pytestmark = pytest.mark.once

YEAR = timedelta(days=400)
"""Longer than windows are kept."""


class Device(Room):
    """One whose clock differs from this machine's."""

    differs = timedelta(0)

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._seq = 0

    def now(self) -> datetime:
        return datetime.now(timezone.utc) + self.differs

    def say(self) -> None:
        fields = {"schema": "roommood.status/1", "site": OWN[0], "room": OWN[1], "device": OWN[1]}
        at = self.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.send(
            json.dumps(fields | {"boot": str(BOOT), "state": "online", "at": at}).encode(), "status"
        )

    def window(self) -> bool:
        """Whether it was acknowledged."""
        self._seq += 1
        self.send(mood(seq=self._seq, start=self.now() - timedelta(seconds=15)).encode())
        try:
            return bool(self.acks.get(timeout=1.5)["seq"] == self._seq)
        except queue.Empty:
            return False


@pytest.fixture
def device(mosquitto: Mosquitto) -> Iterator[Device]:
    one = Device(mosquitto.port)
    yield one
    one.client.disconnect()
    one.client.loop_stop()


@pytest.fixture
def school(
    tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> Iterator[School]:
    monkeypatch.setattr(clock_watch, "LASTS_S", 0.0)
    monkeypatch.setattr(clock_watch, "EVERY_S", 0.2)
    with School(tmp_path, mosquitto.port) as school:
        school.staff()
        yield school


def health(school: School) -> dict[str, Any]:
    answer = httpx.get(f"{school.service.url}/healthz")
    content: dict[str, Any] = answer.json()
    assert (answer.status_code == 200) == (content["status"] == "ok")
    return dict(content["workers"])


def count(school: School) -> int:
    with school.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(moods)).scalar_one()


def test_a_clock_that_is_ahead_throws_nothing_away(school: School, device: Device) -> None:
    device.differs = -YEAR
    device.say()
    assert all(device.window() for _ in range(3))
    assert count(school) == 3  # stored, though by this machine's clock they are past their time
    wait(lambda: "clock" in health(school))
    problem = health(school)["clock"]
    assert "400 days ahead of the clocks of 1 of 1 devices" in problem
    assert "nothing past its time is deleted" in problem

    with school.as_person("ann") as client:
        answer = post(client, "/rooms/school/r101/erase", confirm="r101")
    assert answer.status_code >= 400
    assert "differs from the devices" in answer.text
    with pytest.raises(UserError, match="so nothing was erased"):
        erase_room(Erasures(school.engine, school.settings.state), *OWN)
    assert count(school) == 3

    device.differs = timedelta(0)  # somebody has set it
    device.say()
    wait(lambda: health(school) == {})
    wait(lambda: count(school) == 0)  # now retention knows that they are old
    device.window()
    assert erase_room(Erasures(school.engine, school.settings.state), *OWN) == 1


def test_a_clock_that_is_behind_is_said_and_devices_keep_what_they_have(
    school: School, device: Device
) -> None:
    device.differs = timedelta(days=10)
    device.say()
    assert not device.window()
    wait(lambda: "10 days behind the clocks of 1 of 1 devices" in health(school).get("clock", ""))
    device.differs = timedelta(0)
    device.say()
    wait(lambda: health(school) == {})
    assert device.window()


def test_what_the_broker_kept_from_before_is_no_witness(
    tmp_path: Path, mosquitto: Mosquitto, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last statuses before the holidays."""
    monkeypatch.setattr(clock_watch, "LASTS_S", 0.0)
    device.differs = -timedelta(days=42)
    at = device.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    fields = {"schema": "roommood.status/1", "site": OWN[0], "room": OWN[1], "device": OWN[1]}
    status = json.dumps(fields | {"boot": str(BOOT), "state": "online", "at": at})
    topic = f"roommood/v1/{OWN[0]}/{OWN[1]}/status"
    device.client.publish(topic, status, qos=1, retain=True).wait_for_publish(5)
    try:
        with School(tmp_path, mosquitto.port) as school:
            wait(lambda: school.service.rooms.view(*OWN).status is not None)
            time.sleep(0.5)
            assert health(school) == {}
    finally:
        device.client.publish(topic, b"", qos=1, retain=True).wait_for_publish(5)


def test_nobody_vouches_for_it_for_a_day(
    tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_watch, "UNKNOWN_S", -1.0)
    monkeypatch.setattr(own_clock, "LISTENS_S", -1.0)
    with School(tmp_path) as school:
        wait(lambda: (trust() == "synced") != ("vouches" in health(school).get("clock", "")))


def test_erasures_of_a_time_that_has_not_come_end_now(engine: Engine, tmp_path: Path) -> None:
    """Made while the clock was ahead and no device was heard: it must not take what is measured
    later, nor come back from the notes."""
    erasures = Erasures(engine, tmp_path)
    now = time.time()
    ahead = [
        Erasure("school", "r101", 0.0, now + 1e7),
        Erasure("school", "r102", now + 5e6, now + 5e6 + 2700),  # a lesson, as it was dated
    ]
    right = [
        Erasure("school", "r103", now - 7200, now - 3600),
        Erasure("school", "r104", 0.0, now + 1e7, str(BOOT), 7),  # by number
    ]
    erasures.note([*ahead, *right])
    with engine.begin() as connection:
        erasures.add(connection, [*ahead, *right])
    erasures.refresh()
    later = mood(room="r101", start=datetime.fromtimestamp(now + 60, timezone.utc))
    assert erasures.covers(later)

    assert erasures.end_at(now) == 2
    assert not erasures.covers(later)
    assert erasures.covers(later.model_copy(update={"start": later.start - timedelta(days=9)}))
    assert set(right) < set(erasures.read()) == set(ErasureNotes(tmp_path).read())
    again = Erasures(engine, tmp_path)  # the next start
    assert apply_notes(again) == 0
    assert set(again.read()) == set(erasures.read())
    assert not again.covers(later)
    assert erasures.end_at(now) == 0


@pytest.mark.parametrize("ahead_s", [9e5, -9e5])
def test_a_doubt_that_was_noted_before_the_clock_was_set_counts_no_more(
    engine: Engine, ahead_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    clock_doubt.note(engine, ahead_s)
    with pytest.raises(UserError, match="differs from the devices"):
        clock_doubt.check(engine)
    monkeypatch.setattr(time, "time", lambda: now - ahead_s)
    clock_doubt.check(engine)
    monkeypatch.undo()
    clock_doubt.note(engine, None)
    clock_doubt.check(engine)
