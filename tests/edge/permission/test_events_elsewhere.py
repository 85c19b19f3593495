"""A school's calendar on a device: only what is in its own room opens the camera."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from edge.cli import agent
from edge.permission.own_room import OwnRoom

OWN = [
    *("R101", "r 101", "Raum 101", "R-101", "Room R101", "R101 (Physics)", "R102, R101", "101"),
    *("R101/R102", "R101; Microsoft Teams Meeting", "Salle 101", "school/R101", "R100/101"),
]
OTHERS = ["R102", "Raum 102", "R1011", "Main hall", "Building 3, R102", "1", "lab101", "R10/R11"]
NOWHERE = ["", "Zoom", "https://meet.example/abc", "Microsoft Teams Meeting", "  "]


@pytest.mark.parametrize("place", OWN)
def test_a_room_is_found_however_it_is_written(place: str) -> None:
    assert OwnRoom("r101", (), ["R102", place]).why_not(place) is None


@pytest.mark.parametrize("place", OTHERS)
@pytest.mark.parametrize("another", ["R101", "R203"])
def test_what_is_elsewhere_is_not_here(place: str, another: str) -> None:
    why = OwnRoom("r101", (), [another, place]).why_not(place)
    assert why == (
        f"takes place elsewhere, {place}: if that is r101, add it to schedule.calendar_rooms"
    )


@pytest.mark.parametrize("place", NOWHERE)
def test_what_says_no_place_is_here_only_in_the_room_s_own_calendar(place: str) -> None:
    assert OwnRoom("r101", (), [place]).why_not(place) is None
    assert OwnRoom("r101", (), ["R101", "Raum 101", place]).why_not(place) is None
    assert OwnRoom("r101", (), ["R101", "R102", place]).why_not(place) is not None


def test_a_calendar_of_one_place_is_the_room_s_unless_its_spelling_is_known() -> None:
    assert OwnRoom("r101", (), ["Physics lab"]).why_not("Physics lab") is None
    assert OwnRoom("r101", ("Physics lab",), ["Physics Lab"]).why_not("PHYSICS LAB") is None
    assert OwnRoom("r101", ("Physics lab",), ["Main hall"]).why_not("Main hall") is not None
    assert OwnRoom("r101", ("Lab A",), ["Lab A", "Lab B"]).why_not("Lab A") is None


def test_the_schedule_prints_what_is_elsewhere(tmp_path: Path) -> None:
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{hour}\r\nDTSTART:20260302T{hour}0000\r\nDTEND:20260302T{hour}4500\r\n"
        f"SUMMARY:Lesson {hour}\r\nLOCATION:{place}\r\nEND:VEVENT\r\n"
        for hour, place in (("08", "R101"), ("09", "R102"), ("10", ""))
    )
    calendar = tmp_path / "school.ics"
    calendar.write_text(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n", newline="")
    settings = {"site": "s", "room": "r101", "state": "a"}
    settings |= {"schedule": {"timezone": "Europe/Berlin", "calendar": "school.ics"}}  # type: ignore[dict-item]  # a tree
    config = tmp_path / "agent.yaml"
    config.write_text(yaml.safe_dump(settings))
    options = ["--config", str(config), "--date", "2026-03-02", "--days", "1", "--json"]
    result = CliRunner().invoke(agent, ["schedule", *options], catch_exceptions=False)
    output = json.loads(result.stdout)
    assert [one["start"] for one in output["open"]] == ["2026-03-02T08:00:00+01:00"]
    assert {one["event"]: one["why"] for one in output["ignored"]} == {
        "Lesson 09 (2026-03-02)": "takes place elsewhere, R102: if that is r101, add it to "
        "schedule.calendar_rooms",
        "Lesson 10 (2026-03-02)": "does not say where, in a calendar of several rooms",
    }
