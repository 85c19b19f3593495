"""A school's calendar on a device: only what is in its own room opens the camera."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from edge.cli import agent
from edge.common.places import RoomPlace, key
from edge.permission.own_room import OwnRoom

HERE = RoomPlace("school", "r101")
OWN = [
    *("R101", "r 101", "Raum 101", "R-101", "Room R101", "R101 (Physics)", "R102, R101", "101"),
    *(
        "R101/R102",
        "R101; Microsoft Teams Meeting",
        "Salle 101",
        "school/R101",
        "R100/101",
        "R.101",
    ),
    *("R101/R102/R103", "R99/R100/R101 (Zoom)", "R101 und R102"),
]
OTHERS = [
    *("R102", "Raum 102", "R1011", "Main hall", "Building 3, R102", "1", "lab101", "R10/R11"),
    *("R205 (R101)", "R205 statt R101", "R101 → R205", "b/R101", "South Campus/R101", "R101.1"),
    *("R101 B", "R101-2", "A.101", "Musterstr. 101", "1.01"),
]
NOWHERE = [
    "",
    "Zoom",
    "https://meet.example/abc",
    "Microsoft Teams Meeting",
    "  ",
    "n/a",
    "zoom.us/j/1",
]


def why_not(
    place: str, places: Sequence[str], own: RoomPlace = HERE, *spellings: str
) -> str | None:
    return OwnRoom(own, spellings, places).why_not(place)


@pytest.mark.parametrize("place", OWN)
def test_a_room_is_found_however_it_is_written(place: str) -> None:
    assert why_not(place, ["R102", place]) is None


@pytest.mark.parametrize("place", OTHERS)
@pytest.mark.parametrize("another", ["R101", "R203"])
def test_what_is_elsewhere_is_not_here(place: str, another: str) -> None:
    assert why_not(place, [another, place]) == (
        f"takes place elsewhere, {place}: if that is r101, add it to schedule.calendar_rooms "
        "as it stands there"
    )


@pytest.mark.parametrize(
    ("room", "place"),
    [
        *(("a-101", "A-101"), ("a-101", "A 101"), ("lab-2", "Lab 2"), ("room-5", "Room-5")),
        *(("aula", "Aula"), ("salon", "Salon"), ("classe-6a", "Classe 6A"), ("1-11", "1.11")),
        *(("salle-12", "Salle 12"), ("gym", "Gym"), ("101", "R101"), ("ubungsraum", "Übungsraum")),
    ],
)
def test_a_room_has_its_own_name(room: str, place: str) -> None:
    assert why_not(place, [place, "R7", "Main hall"], RoomPlace("school", room)) is None


@pytest.mark.parametrize(
    ("room", "place"),
    [
        *(
            ("r1", "R1-02"),
            ("r1", "R1.02"),
            ("101", "A.101"),
            ("101", "2-101"),
            ("12", "12. Klasse"),
        ),
        *(("2", "2. OG"), ("lab", "Chemistry Lab"), ("a", "Gebäude A"), ("1-11", "11.1")),
    ],
)
def test_what_holds_its_name_is_another(room: str, place: str) -> None:
    assert why_not(place, [place, "R7", "Main hall"], RoomPlace("school", room)) is not None


@pytest.mark.parametrize("place", NOWHERE)
def test_what_says_no_place_is_here_unless_the_others_say_so(place: str) -> None:
    assert why_not(place, [place]) is None
    assert why_not(place, ["R101", "Raum 101", place]) is None
    assert why_not(place, ["R101", "R102", place]) is not None
    # Without a place it is a room's, with odd ones; online it is in none of several rooms.
    assert (why_not(place, [place] * 9 + ["Museum", "Turnhalle"]) is None) != bool(place.strip())


SPELLINGS = [
    *("Haupthaus-1-R101 (30) [Beamer]", "Labor 1, Haus A", "Physics (new)", "R101/102"),
    *(
        "Lab & Workshop",
        "Haus A / R101",
        "Haupthaus-1, Hauptstraße 1, 10115 Berlin",
        "R101 (Haus A)",
    ),
    *("Haus A, R101", "Hörsaal 101", "R101 - Physics", "Art and music", "Αίθουσα Α", "🎨"),
]


@pytest.mark.parametrize("place", SPELLINGS)
def test_what_the_message_says_opens_that_place_and_no_other(place: str) -> None:
    others = [one for one in SPELLINGS if key(one) != key(place)]
    assert why_not(place, [place, "R7", *others], HERE, place) is None
    assert [one for one in others if why_not(one, [place, *others], HERE, place) is None] == []
    assert why_not("R101 (Haus B)", [place, "R7"], HERE, place) is not None


BUILDINGS = ["R101 (Haus B)", "Haus B, R101", "Block 2; R101", "R101 [Neubau]", "R101 (B)"]
REMARKS = ["R101 (Physics)", "R101, R102", "R101, Main hall", "Zoom, R101", "R101 (Mr Haussmann)"]


@pytest.mark.parametrize("place", BUILDINGS)
@pytest.mark.parametrize("other", ["R101", "R101 (Haus A)", "Altbau, R 101"])
def test_of_rooms_with_one_number_in_several_buildings_none_is_guessed(
    place: str, other: str
) -> None:
    why = why_not(place, ["R102", place, other])
    assert why is not None
    assert "schedule.calendar_rooms" in why
    assert (why_not(other, ["R102", place, other]) is None) == (other == "R101")
    assert why_not(place, ["R102", place, place.upper(), "R102 (Haus A)"]) is None
    assert why_not(place, ["R102", place, other], HERE, place) is None
    assert why_not(other, ["R102", place, other], HERE, place) is not None


@pytest.mark.parametrize("place", REMARKS)
def test_a_remark_is_no_building(place: str) -> None:
    places = ["R102", "R101", *REMARKS]
    assert why_not(place, places) is None


def test_a_calendar_of_one_place_is_the_room_s_unless_that_is_another() -> None:
    assert why_not("Physics lab", ["Physics lab"]) is None
    assert why_not("R102", ["R102", "R102"]) is not None
    assert why_not("", ["R102", "R102", ""]) is not None
    assert why_not("PHYSICS LAB", ["Physics Lab"], HERE, "Physics lab") is None
    assert why_not("Main hall", ["Main hall"], HERE, "Physics lab") is not None
    assert why_not("Lab A", ["Lab A", "Lab B"], HERE, "Lab A") is None


def school(folder: Path, events: str) -> Path:
    """An agent's settings with a calendar of these events."""
    calendar = folder / "school.ics"
    calendar.write_text(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n", newline="")
    schedule = {"timezone": "Europe/Berlin", "calendar": "school.ics"}
    config = folder / "agent.yaml"
    settings = {"site": "s", "room": "r101", "state": "a", "schedule": schedule}
    config.write_text(yaml.safe_dump(settings))
    return config


def test_check_says_which_only_place_is_taken_for_the_room(tmp_path: Path) -> None:
    lesson = (
        "BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260302T080000\r\nDTEND:20260302T084500\r\n"
        "SUMMARY:Optics\r\nLOCATION:%s\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\n"
    )
    sentence = "schedule: the calendar's only place, Physics lab, is taken for r101; if it is"
    for place, is_said in (("Physics lab", True), ("Raum 101", False), ("", False)):
        config = school(tmp_path, lesson % place)
        output = CliRunner().invoke(agent, ["check", "--config", str(config)]).output
        assert "schedule: open 7 times" in output or "schedule: open 8 times" in output
        assert (sentence in output) == is_said


def test_the_schedule_prints_what_is_elsewhere(tmp_path: Path) -> None:
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{hour}\r\nDTSTART:20260302T{hour}0000\r\nDTEND:20260302T{hour}4500\r\n"
        f"SUMMARY:Lesson {hour}\r\nLOCATION:{place}\r\nEND:VEVENT\r\n"
        for hour, place in (("08", "R101"), ("09", "R102"), ("10", ""))
    )
    config = school(tmp_path, events)
    options = ["--config", str(config), "--date", "2026-03-02", "--days", "1", "--json"]
    result = CliRunner().invoke(agent, ["schedule", *options], catch_exceptions=False)
    output = json.loads(result.stdout)
    assert [one["start"] for one in output["open"]] == ["2026-03-02T08:00:00+01:00"]
    assert {one["event"]: one["why"] for one in output["ignored"]} == {
        "Lesson 09 (2026-03-02)": "takes place elsewhere, R102: if that is r101, add it to "
        "schedule.calendar_rooms as it stands there",
        "Lesson 10 (2026-03-02)": "does not say where, in a calendar of several rooms",
    }
