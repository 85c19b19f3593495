"""A device that was moved to another room erases what it keeps of the one where it was before."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from collector.ingest.erasing import DeviceErasures
from collector.retention.erasing import erase_room
from collector.storage.database import connect
from collector.storage.erasures import Erasures
from edge.common.broker import BrokerSettings
from edge.outbox.second_copy import SecondCopy
from edge.outbox.store import Outbox
from edge.protocol.messages import Command, Status, topic
from tests.collector.school import School
from tests.conftest import BOOT, Mosquitto, mood
from tests.edge.transport.publishers import publisher_of
from tests.free import wait

EPOCH = datetime.fromtimestamp(0, timezone.utc)


class MovedDevice:
    """In r102 now; `orders` are those that it passes on."""

    def __init__(self, path: Path, port: int) -> None:
        self.outbox, self._copy = Outbox(path), SecondCopy(path)
        self.orders: list[Command] = []
        self.publisher = publisher_of(
            BrokerSettings(port=port),
            self.outbox,
            room="r102",
            device="r102",
            on_command=self.orders.append,
        )

    def keeps(self) -> set[str]:
        moods = [*self._copy.acknowledgements(EPOCH), *self.outbox.pending(100)]
        return {one.room for one in moods}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An outbox with windows of r101, acknowledged."""
    path = tmp_path / "o.sqlite"
    outbox = Outbox(path)
    for seq in range(3):
        outbox.add(mood(seq=seq, start=datetime.now(timezone.utc)))
        outbox.remove(BOOT, seq)
    outbox.add(mood(seq=9, room="r102", start=datetime.now(timezone.utc)))
    outbox.remove(BOOT, 9)
    outbox.close()
    return path


def test_it_erases_and_obeys_nothing_else_that_is_said_there(path: Path) -> None:
    device = MovedDevice(path, 1)
    assert device.keeps() == {"r101", "r102"}
    there, elsewhere = (topic("school", room, "command") for room in ("r101", "r103"))
    now = datetime.now(timezone.utc)
    erasing = Command(command="erase", spans=((EPOCH, now),)).encode()
    for name, payload in (
        (there, Command(command="pause").encode()),
        (there, Command(command="resend", since=EPOCH).encode()),
        (elsewhere, erasing),
    ):
        device.publisher.receive(name, payload)
    assert device.orders == []
    assert len(device.outbox) == 0
    assert device.keeps() == {"r101", "r102"}
    device.publisher.receive(there, erasing)
    assert device.keeps() == {"r102"}
    device.outbox.close()


@pytest.mark.once
def test_it_is_told_when_it_is_heard_where_it_is_now(
    path: Path, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    """It was off when the room was erased."""
    with School(tmp_path, mosquitto.port) as school:
        erase_room(school.service.erasures, "school", "r101")
        device = MovedDevice(path, mosquitto.port)
        device.publisher.start()
        device.publisher.say("online")
        wait(lambda: device.keeps() == {"r102"})
        device.publisher.stop(0.1)
        device.outbox.close()


def test_rooms_without_a_device_are_told_once_for_many_that_are_heard(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/c.sqlite")
    erasures = Erasures(engine, tmp_path)
    for room in ("r101", "r102"):
        erase_room(erasures, "school", room)
    rooms: list[str] = []
    teller = DeviceErasures(erasures, lambda _site, room, _command: rooms.append(room))
    for room in ("r102", "r103", "r104"):
        fields: dict[str, Any] = {"schema": "roommood.status/1", "site": "school", "room": room}
        fields |= {"device": room, "boot": BOOT, "state": "online"}
        teller.update(Status(at=datetime.now(timezone.utc), **fields))
    assert sorted(rooms) == ["r101", "r102"]
    engine.dispose()
