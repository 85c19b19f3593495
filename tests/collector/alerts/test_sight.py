"""What counts as wrong: of real rooms and devices, and of the collector itself."""

from __future__ import annotations

import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from collector.alerts.incidents import Entries, Entry, Key, update
from collector.alerts.sight import BROKER, Sight
from collector.fleet.registry import Device
from collector.live.rooms import Rooms
from tests.collector.fleet.test_diagnosis import device, health, view

ROOM = ("school", "r101")


class Place:
    """Rooms, devices and a broker, as a test has them."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.rooms, self.devices, self.is_connected = Rooms(), list[Device](), True
        self.problems: dict[str, str] = {}
        self.certificates: dict[str, float] = {}
        options: dict[str, Any] = {"without": ("headcount", "other_version"), "settle_s": 0.0}
        self.sight = Sight(
            self.rooms,
            lambda: self.devices,
            lambda: self.is_connected,
            lambda: self.problems,
            lambda: self.certificates,
            folder,
            **(options | changes),
        )

    def status(self, state: str = "online", **changes: Any) -> None:
        status = view(health_report=health(version=version("roommood"), **changes)).status
        assert status is not None
        self.rooms.update_status(status.model_copy(update={"state": state}))

    def causes(self) -> Iterable[str]:
        return sorted(key.cause for key in self.sight.look().begin)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_of_a_device_its_first_fault_alone_and_what_hides_it(place: Place) -> None:
    place.devices = [device()]
    assert place.causes() == ["never_heard"]
    place.status()
    assert place.causes() == []
    place.status(temperature_c=90)
    assert place.causes() == ["hot"]
    place.status("offline", temperature_c=90)
    sighting = place.sight.look()
    assert set(sighting.begin) == {Key("offline", *ROOM)}
    assert sighting.hidden_rooms == {ROOM}


def test_what_nobody_wants_to_be_told_hides_nothing(place: Place) -> None:
    place.devices = [device(days=10)]
    place.status(mode="headcount", because="no_attestation")
    assert place.causes() == ["not_renewed"]


def test_a_device_that_is_offline_is_not_cool_again(place: Place) -> None:
    place.devices = [device()]
    entries: Entries = {}
    place.status(temperature_c=90)
    update(entries, place.sight.look(), 0, 60)
    entries[Key("hot", *ROOM)].told_at = 60
    place.status("offline")
    update(entries, place.sight.look(), 120, 60)
    assert entries[Key("hot", *ROOM)].over is None
    place.status()
    update(entries, place.sight.look(), 180, 60)
    assert entries[Key("hot", *ROOM)].over == 180


def test_a_device_out_of_service_is_not_mended(place: Place) -> None:
    place.devices = [device()]
    place.status("offline")
    entries: Entries = {}
    update(entries, place.sight.look(), 0, 60)
    place.devices = [device(state="revoked")]
    update(entries, place.sight.look(), 60, 60)
    assert Key("offline", *ROOM) not in entries


def test_behind_a_broker_that_is_gone_nothing_is_known_of_devices(place: Place) -> None:
    place.devices = [device()]
    place.status("offline")
    entries: Entries = {}
    place.is_connected = False
    update(entries, place.sight.look(), 0, 60)
    assert set(entries) == {BROKER}
    place.is_connected = True
    update(entries, place.sight.look(), 30, 60)
    assert set(entries) == {Key("offline", *ROOM)}


def test_devices_have_time_after_the_broker_is_back(tmp_path: Path) -> None:
    place = Place(tmp_path, settle_s=0.2)
    place.devices = [device()]
    place.status("offline")
    assert place.sight.look().is_blind, "statuses may still be on their way"
    time.sleep(0.3)
    key = Key("offline", *ROOM)
    assert key in place.sight.look().begin
    entries = {key: Entry(key, "", 0.0)}
    sighting = place.sight.look()._replace(is_anew=True)
    update(entries, sighting, 500, 60)
    assert entries[key].since == 500


def test_without_a_fleet_every_room_counts(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.status("offline")
    without_fleet = Sight(place.rooms, None, lambda: True, dict, dict, tmp_path, (), settle_s=0.0)
    assert set(without_fleet.look().begin) == {Key("offline", *ROOM)}


def test_the_collectors_own(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.certificates = {"web.certificate": time.time() + 86_400, "other": time.time() + 90e5}
    place.problems = {"alerts": "the mail server", "writer": "no space"}
    assert set(place.sight.look().begin) == {
        Key("collector_certificate", "", "web.certificate"),
        Key("collector_problem", "", "writer"),
    }
    monkeypatch.setattr("collector.alerts.sight.DISK_BYTES", 1e18)
    assert "collector_disk" in place.causes()
