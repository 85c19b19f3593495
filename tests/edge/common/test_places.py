"""Rooms as people write them: the device and the collector must mean the same room."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.common.places import RoomNames, RoomPlace, building, is_same, parts
from edge.permission.own_room import OwnRoom

WORDS = ("", "Room ", "Rm. ", "Raum ", "Zi. ", "Zimmer ", "Salle ", "Aula ", "R", "R ", "R-")
NUMBER_WORDS = ("", "No. ", "Nr. ", "n° ", "#", "numéro ")
REMARKS = (
    *("", " (Physics)", " - Physics", " – Physik", ": Physique", " [Beamer]"),
    *(" (30 seats)", " (30 Plätze)", " (max. 30)", " (1. OG)", " - 2nd floor", " (2e étage)"),
    *(" (planta 2)", "@school.example"),
)
SPELLINGS = [
    f"{word}{number_word}101{remark}"
    for word, number_word, remark in product(WORDS, NUMBER_WORDS, REMARKS)
    if not (number_word and word in ("", "R", "R ", "R-"))
]
ELSEWHERE = [
    *("R205 - R101", "R101 - R205", "R101 (R205)", "R101 (statt R205)", "R101 (205)", "NO 101"),
    *("No 101", "R101 (30)", "Physics - R102", "Haus 101", "R1011 - Physics", "10 - 1"),
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_one_room_however_it_is_written(text: str) -> None:
    assert OwnRoom(RoomPlace("school", "r101"), (), [text, "R205"]).why_not(text) is None
    (place,) = RoomNames().find(text)
    assert is_same(place.room, "r101"), "the collector begins the lesson elsewhere"


@pytest.mark.parametrize("text", ELSEWHERE)
def test_two_rooms_and_other_numbers_are_not_taken_for_it(text: str) -> None:
    assert not any(is_same(part, "r101") for part in parts(text))
    assert not any(is_same(place.room, "r101") for place in RoomNames().find(text))


@pytest.mark.parametrize(
    "text", ["Haus B - R101", "R101 - Haus B", "R101 (Haus B)", "R101, Haus B"]
)
def test_a_building_before_or_after_a_room_is_told_from_it(text: str) -> None:
    assert any(is_same(part, "r101") for part in parts(text))
    assert building(text, "r101") == "hausb"


def test_a_spelling_of_the_settings_goes_before_what_is_guessed() -> None:
    names = RoomNames({"lab": ("R101 (1. OG)",)})
    assert names.find("R101 (1. OG)") == [RoomPlace(None, "lab")]
    assert names.find("R102, R101 (1. OG)") == [RoomPlace(None, "r102"), RoomPlace(None, "lab")]
    assert names.find("R101") == [RoomPlace(None, "r101")]


FORMER = [
    *("R205, (R101)", "R205, [R101]", "R205\n(R101)", "+R205, -R101", "(R101), R205"),
    *("R205, (R101, R102)", "R205 (R102, R101)", "R205; (Raum 101)", "R205, (R102), (R101)"),
]


@pytest.mark.parametrize("text", FORMER)
def test_a_room_that_was_moved_out_of_is_none(text: str) -> None:
    assert not any(is_same(part, "r101") for part in parts(text))
    for names in (RoomNames(), RoomNames({"school/r101": ("R101",)})):
        assert not any(is_same(place.room, "r101") for place in names.find(text))
    for spellings in ((), ("R101",)):
        own = OwnRoom(RoomPlace("school", "r101"), spellings, [text, "R205"])
        assert own.why_not(text) is not None


@pytest.mark.parametrize(
    ("text", "rooms"),
    [
        *(("(R101)", ["r101"]), ("(R101), (R102)", ["r101", "r102"])),
        *(("R101, (Physics)", ["r101"]), ("- R101\n- R102", ["r101", "r102"])),
        *(("Schule, R101, 12345 Stadt", ["r101"]), ("School, R101", ["r101"])),
        ("Gymnasium am See, Schulstr. 1, 12345 Berlin", []),
        ("Lycée X, salle 101, 12 rue de la Paix, 75001 Paris", ["101"]),
        ("Springfield High School, Room 101, 12 Main St, Springfield, IL 62701", ["101"]),
        *(("R101, 221B Baker Street, London NW1 6XE", ["r101"]), ("Haus B, R101", ["r101"])),
        *(("R101, Sporthalle", ["r101", "sporthalle"]), ("Schule", ["schule"])),
        ("Art and music, R101", ["art-and-music", "r101"]),
    ],
)
def test_what_a_room_is_in_is_no_room_beside_it(text: str, rooms: list[str]) -> None:
    assert [place.room for place in RoomNames().find(text)] == rooms


def test_the_settings_may_call_a_school_or_a_street_a_room() -> None:
    names = RoomNames({"hall": ("Schule", "Hauptstr. 5")})
    assert [place.room for place in names.find("Schule, R101")] == ["hall", "r101"]
    assert [place.room for place in names.find("R101, Hauptstr. 5")] == ["r101", "hall"]


PLACES = (
    *(
        "R101",
        "r 101",
        "Raum 101",
        "101",
        "R-101",
        "Zi. 101",
        "R102",
        "R205",
        "A101",
        "1.01",
        "Haus B",
    ),
    *("Building 3", "Physics", "Turnhalle", "Zoom", "north", "school", "101a", "R101.1", "R0101"),
    *("E.101", "Lab 101", "R101/102", "Rm#101", "Main Hall", "statt", "ehem."),
)
BETWEEN = (
    ", ",
    "; ",
    " / ",
    "/",
    " - ",
    " + ",
    "&",
    " (",
    " und ",
    " ",
    "\n",
    " – ",
    ": ",
    "|",
    " @ ",
)


@given(st.lists(st.sampled_from(PLACES), min_size=1, max_size=4), st.data())
def test_device_and_collector_mean_the_same_room(places: list[str], data: st.DataObject) -> None:
    text = places[0]
    for place in places[1:]:
        between = data.draw(st.sampled_from(BETWEEN))
        text += between + place + (")" if between == " (" else "")
    device = OwnRoom(RoomPlace("school", "r101"), (), [text, "R999"]).why_not(text) is None
    rooms = RoomNames().find(text)
    collector = any(is_same(one.room, "r101") and one.site in (None, "school") for one in rooms)
    assert device == collector
