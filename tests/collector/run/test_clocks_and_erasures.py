"""An erasure of a room whose device's clock is wrong: what was counted before does not come back,
and what is lost after it is said."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from collector.fleet.diagnosis import faults
from collector.fleet.registry import Device
from collector.ingest.ingest import Ingest
from collector.live.rooms import Rooms
from collector.retention.erasing import erase_room
from collector.storage.database import connect
from collector.storage.erasures import Erasures
from collector.storage.store import Store
from collector.storage.tables import moods
from edge.common.broker import BrokerSettings
from edge.protocol.messages import Status, topic
from tests.conftest import BOOT, mood

SENTENCE = "so what it counts now is taken for what was erased before, and lost"


class Room:
    """One that was erased, and what its device sends."""

    def __init__(self, folder: Path) -> None:
        self.engine = connect(f"sqlite:///{folder}/c.sqlite")
        erasures = Erasures(self.engine, folder)
        erase_room(erasures, "school", "r101")
        self.rooms = Rooms(erasures.covers)
        broker, registry = BrokerSettings(), CollectorRegistry()
        store = Store(self.engine)
        self.ingest = Ingest(broker, "x", store, self.rooms, registry, erasures=erasures)

    def says(self, behind: timedelta) -> None:
        """What time it is there."""
        at = datetime.now(timezone.utc) - behind
        where = {"schema": "roommood.status/1", "site": "school", "room": "r101"}
        more: dict[str, Any] = where | {"device": "r101", "boot": BOOT, "state": "online"}
        status = Status(at=at, **more)
        name = topic("school", "r101", "status")
        self.ingest.receive(name, status.encode(), is_new=True)

    def sends(self, ago: timedelta, seq: int, *, is_new: bool = True) -> None:
        one = mood(seq=seq, device="r101", start=datetime.now(timezone.utc) - ago)
        self.ingest.receive(topic("school", "r101", "mood"), one.encode(), is_new=is_new)

    def stores(self) -> list[int]:
        """Numbers of windows."""
        self.ingest.writer.finish()
        with self.engine.connect() as connection:
            return list(connection.execute(select(moods.c.seq).order_by(moods.c.seq)).scalars())

    def faults(self) -> dict[str, str]:
        view = self.rooms.view("school", "r101")
        return dict(faults(Device(("school", "r101"), "", None, {}, None), view, "1"))


def test_it_is_said_once_and_on_its_pages(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    room, day = Room(tmp_path), timedelta(days=1)
    room.says(behind=day)
    time.sleep(0.01)  # a window counted after the erasure
    for seq in range(3):
        room.sends(day, seq)
    assert caplog.text.count(SENTENCE) == 1
    assert "school/r101: its device's clock is 1440 min behind" in caplog.text
    assert room.faults()["clock"] == "-1440 min; 3 windows taken for erased"
    room.says(behind=timedelta(0))
    assert "clock" not in room.faults()
    room.engine.dispose()


def test_what_was_erased_indeed_is_no_loss(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A backlog of before the erasure, from a right clock and from one that is behind, and what the
    broker had kept."""
    room, day = Room(tmp_path), timedelta(days=1)
    room.says(behind=timedelta(seconds=5))
    room.sends(timedelta(hours=1), 0)
    room.says(behind=day)
    room.sends(day + timedelta(hours=1), 1)
    room.sends(day - timedelta(minutes=1), 2, is_new=False)
    assert SENTENCE not in caplog.text
    assert "erased" not in room.faults()["clock"]
    room.engine.dispose()


def test_what_was_counted_before_an_erasure_and_dated_ahead_does_not_come_back(
    tmp_path: Path,
) -> None:
    """By a clock two days ahead; what it counts since is stored, and so is what lies in the future
    by a clock that is right by now, since nobody knows when that was."""
    room, ahead = Room(tmp_path), timedelta(days=2)
    room.says(behind=-ahead)
    for seq in range(3):
        room.sends(timedelta(minutes=10 - seq) - ahead, seq)
    assert room.stores() == []
    time.sleep(0.05)
    room.sends(-ahead, 3)
    assert room.stores() == [3]
    room.says(behind=timedelta(0))
    room.sends(timedelta(minutes=10) - ahead, 4)
    assert room.stores() == [3, 4]
    room.engine.dispose()


def test_what_a_clock_ahead_counts_into_an_hour_that_is_past_is_kept(tmp_path: Path) -> None:
    """From before it jumped: only what lies in the future goes by its device's time."""
    room = Room(tmp_path)
    time.sleep(0.05)
    room.says(behind=-timedelta(days=2))
    room.sends(timedelta(0), 0)
    assert room.stores() == [0]
    room.engine.dispose()
