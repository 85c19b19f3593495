from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any
from uuid import uuid4

import pytest

from collector.fleet.diagnosis import DeviceOut, row
from collector.fleet.registry import Certificate, Device
from collector.live.rooms import RoomView
from collector.pages.words import words
from edge.protocol.device_api import FAILURES
from edge.protocol.messages import Health, Status
from tests.conftest import ROOT, mood

ROOM = ("school", "r101")
DAY = 86_400


def health(**changes: Any) -> Health:
    fields: dict[str, Any] = {
        "version": "1.0",
        "uptime_s": 600,
        "frames_per_s": 2.0,
        "ms_per_frame": 40.0,
        "waiting": 0,
        "mode": "emotion",
        "because": "attested",
        "temperature_c": 51.5,
    }
    return Health.model_validate(fields | changes)


def device(days: float = 60, state: Any = "current", **report: Any) -> Device:
    certificate = Certificate("1a", ROOM, "", time.time() + days * DAY, state, "lost")
    return Device(ROOM, "", time.time(), report, certificate)


def view(state: Any = "live", health_report: Health | None = None) -> RoomView:
    status = Status.model_validate(
        {
            "schema": "roommood.status/1",
            "site": "school",
            "room": "r101",
            "device": "r101",
            "boot": uuid4(),
            "state": "online",
            "at": datetime.now(timezone.utc),
            "health": health_report or health(),
        }
    )
    return RoomView("school", "r101", state, mood(), status)


def test_a_device_with_which_nothing_is_wrong() -> None:
    device_row = row(device(bundle=3), view(), "1.0")
    assert (device_row.fault, device_row.state, device_row.certificate_days) == (None, "live", 59)
    assert (device_row.temperature_c, device_row.frames_per_s, device_row.update) == (51.5, 2.0, 3)


@pytest.mark.parametrize(
    ("fault", "device_record", "room_view", "about"),
    [
        ("revoked", device(state="revoked"), view("offline"), "lost"),
        ("certificate_ended", device(days=-1), view("offline"), ""),
        ("never_heard", device(), RoomView("school", "r101", "offline", None, None), ""),
        ("offline", device(), view("offline"), ""),
        ("disk", device(), view(health_report=health(disk="failing")), ""),
        ("no_camera", device(), view(health_report=health(frames_per_s=0)), ""),
        ("waiting", device(), view(health_report=health(waiting=300)), "300"),
        ("hot", device(), view(health_report=health(temperature_c=83)), "83.0 °C"),
        ("hot", device(), view(health_report=health(throttled=["under_voltage"])), "under_voltage"),
        ("pause_clock", device(), view("paused", health(pause="clock")), ""),
        ("clock", device(), view()._replace(clock_lead_s=360.0), "+6 min"),
        ("clock", device(), view()._replace(clock_lead_s=-86_400.0), "-1440 min"),
        (
            "headcount",
            device(),
            view(health_report=health(mode="headcount", because="expired")),
            "expired",
        ),
        ("not_renewed", device(days=12.5), view(), "12"),
        ("no_report", device()._replace(seen_at=time.time() - 3 * DAY), view(), ""),
        *(
            ("update_refused", device(bundle=3, refused=4, because=text), view(), f"4: {words}")
            for text, words in (
                ("no frame in 2 windows", FAILURES["no_frames"]),
                ("crashed", FAILURES["crashed"]),
                ("r101 09:15: 7 happy", FAILURES["invalid"]),
            )
        ),
        ("other_version", device(), view(health_report=health(version="0.9")), "0.9"),
    ],
)
def test_what_is_wrong_is_named_with_a_remedy(
    fault: str, device_record: Device, room_view: RoomView, about: str
) -> None:
    device_row = row(device_record, room_view, "1.0")
    assert (device_row.fault, device_row.about) == (fault, about)
    assert words("en")["fleet"]["faults"][fault]["remedy"]


def test_a_headcount_that_was_asked_for_and_a_pause_by_a_person_are_no_faults() -> None:
    for health_report in (
        health(mode="headcount", because="set"),
        health(pause="kiosk", frames_per_s=0),
    ):
        assert row(device(), view(health_report=health_report), "1.0").fault is None
    assert row(device(bundle=5, refused=4), view(), "1.0").fault is None


def test_clocks_may_differ_by_a_minute() -> None:
    for lead_s in (-119.0, 0.0, 60.0, 119.0):
        assert row(device(), view()._replace(clock_lead_s=lead_s), "1.0").fault is None


def test_every_field_is_in_the_document() -> None:
    text = (ROOT / "docs" / "fleet.md").read_text()
    assert [name for name in DeviceOut.model_fields if f"`{name}`" not in text] == []


def test_every_fault_that_has_words_can_be_told() -> None:
    texts = {
        *("revoked", "certificate_ended", "never_heard", "offline", "disk", "no_camera"),
        *("waiting", "hot", "clock", "pause_clock", "pause_unreadable", "headcount", "not_renewed"),
        *("no_report", "update_refused", "other_version"),
    }
    assert texts == set(words("en")["fleet"]["faults"])
