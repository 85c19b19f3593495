"""Timetables as spreadsheets and calendars write them: a row with a fault leaves the others."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.cli import collector
from collector.lessons.spreadsheet import Spreadsheet
from collector.lessons.timetable import Timetable
from edge.common.errors import UserError
from edge.common.places import RoomNames

BERLIN = "Europe/Berlin"
MONDAY = date(2026, 3, 2)
HEAD = ["day", "start", "end", "room", "title", "teacher"]
GOOD = ["Monday", "9:15", "10:00", "r101", "Optics", "tess"]
REPORTS = Path("../shared/reports")


def sheet(*rows: list[str], delimiter: str = ",", head: list[str] = HEAD) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([head, *rows])
    return text.getvalue()


def lessons(folder: Path, content: bytes, name: str = "t.csv", day: date = MONDAY) -> list[str]:
    path = folder / name
    path.write_bytes(content)
    plan, _ = Timetable(path, BERLIN).on(day)
    return [
        f"{one.room} {one.start:%H:%M}-{one.end:%H:%M} {one.title} {one.teacher}" for one in plan
    ]


ONE = ["r101 09:15-10:00 Optics tess"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_a_spreadsheet_in_every_form_in_which_it_is_saved(
    tmp_path: Path, delimiter: str, encoding: str
) -> None:
    text = sheet(GOOD, ["Dienstag", "9:15", "10:00", "r102", "Übung", "jörg"], delimiter=delimiter)
    assert lessons(tmp_path, text.encode(encoding)) == ONE
    tuesday = lessons(tmp_path, text.encode(encoding), day=MONDAY + timedelta(days=1))
    assert tuesday == ["r102 09:15-10:00 Übung jörg"]


@pytest.mark.parametrize(
    "text",
    [
        sheet(["", "", "", "", "", ""], GOOD, [" ", "", "", "", "", ""]),
        sheet(GOOD, head=["Day", " START", "End", "ROOM", "Title", "Teacher"]),
        "sep=;\r\n" + sheet(GOOD, delimiter=";"),
        sheet([*GOOD, "a note"], head=[*HEAD, "remarks"]),
        sheet([GOOD[0], GOOD[1], GOOD[2], GOOD[3], "Optics", "tess"]).replace("\r\n", "\n"),
    ],
)
def test_headings_empty_rows_and_further_columns(tmp_path: Path, text: str) -> None:
    assert lessons(tmp_path, text.encode()) == ONE


@pytest.mark.parametrize(
    "day",
    [
        "Monday",
        "mon",
        "Mo",
        "MONTAG",
        "Mo.",
        "lundi",
        "lun.",
        "lunes",
        "Lun",
        "2026-03-02",
        "2.3.2026",
        "2026-03-02 00:00:00",
        *("2 March 2026", "March 2, 2026", "2. März 2026", "2 mars 2026", "2 de marzo de 2026"),
        *("02-Mar-26", "March 2nd, 2026", "lun. 2 mars 2026", "Mon 02.03.2026", "2. Mrz. 2026"),
        *("Montag, 2. März 2026", "lundi 2 mars 2026", "lunes, 2 de marzo de 2026"),
        "Monday, March 2, 2026",
    ],
)
def test_a_day_in_four_languages_and_as_a_date(tmp_path: Path, day: str) -> None:
    assert lessons(tmp_path, sheet([day, *GOOD[1:]]).encode()) == ONE


@pytest.mark.parametrize(
    ("day", "number"), [("Di", 1), ("mar.", 1), ("Mi", 2), ("mié", 2), ("Do", 3), ("jeu.", 3)]
)
def test_short_names_of_days(tmp_path: Path, day: str, number: int) -> None:
    text = sheet([day, *GOOD[1:]]).encode()
    days = [bool(lessons(tmp_path, text, day=MONDAY + timedelta(days=n))) for n in range(7)]
    assert [n for n, on in enumerate(days) if on] == [number]


def test_the_order_of_a_date_is_asked_for_where_it_is_open(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(sheet(["2/3/2026", *GOOD[1:]]))
    with pytest.raises(UserError, match=r"line 2: column 'day': 2/3/2026: .*school\.date_order"):
        Timetable(path, BERLIN)
    assert Timetable(path, BERLIN, order="dmy").on(MONDAY)[0]
    assert Timetable(path, BERLIN, order="mdy").on(date(2026, 2, 3))[0]


@pytest.mark.parametrize(
    "start",
    [
        *("9:15", "09:15", "09:15:00", "9.15", "9h15", "9:15 AM", "9:15 a. m.", "9:15:00 a.m."),
        *("9.15 Uhr", "09:15:00.000", "9 h 15", "9:15\u202fAM"),
    ],
)
def test_times_as_people_write_them(tmp_path: Path, start: str) -> None:
    assert lessons(tmp_path, sheet(["Monday", start, *GOOD[2:]]).encode()) == ONE


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (["Someday", *GOOD[1:]], "column 'day': Someday: write a weekday, or a date"),
        (["31.2.2026", *GOOD[1:]], "column 'day': 31.2.2026: no such day"),
        (["31 February 2026", *GOOD[1:]], "column 'day': 31 February 2026: no such day"),
        (["Tuesday, 2 March 2026", *GOOD[1:]], "this date is no Tuesday"),
        (["2 Smarch 2026", *GOOD[1:]], "column 'day': 2 Smarch 2026: write a weekday, or a date"),
        (["Monday", "9", *GOOD[2:]], "column 'start': 9: write hours and minutes"),
        (["Monday", "25:00", *GOOD[2:]], "column 'start': 25:00"),
        (["Monday", "10:00", "9:15", *GOOD[3:]], "column 'end': 9:15 is not after"),
        (["Monday", "9:15", "10:00", "", "x", ""], "column 'room': empty"),
        (["Monday"], "column 'start': empty"),
    ],
)
def test_a_row_with_a_fault_is_named_and_leaves_the_others(row: list[str], why: str) -> None:
    table = Spreadsheet(sheet(GOOD, row, GOOD).encode(), "t.csv", None)
    assert len(table.rows) == 2
    (fault,) = table.faults
    assert fault.event == "line 3"
    assert why in fault.why


def test_other_headings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Tag;Beginn;Wo\nMontag;8:00;R101\n")
    with pytest.raises(UserError, match="end, room, title are missing; it has Tag, Beginn, Wo"):
        Timetable(path, BERLIN)


@pytest.mark.parametrize(
    "head",
    [
        *("Weekday,From,To,Classroom,Subject,Teacher", "Tag,Beginn,Ende,Raum,Fach,Lehrkraft"),
        *("Wochentag,Von,Bis,Zimmer,Titel,Lehrer/in", "Jour,Début,Fin,Salle,Matière,Professeur"),
        "Día,Inicio,Fin,Aula,Asignatura,Profesor",
    ],
)
def test_headings_in_four_languages(tmp_path: Path, head: str) -> None:
    assert lessons(tmp_path, sheet(GOOD, head=head.split(",")).encode()) == ONE


def test_of_two_columns_for_one_thing_ours_or_the_first_counts(tmp_path: Path) -> None:
    further = ["a", "Friday", "r900"]
    for head, room in ((["x", "Weekday", "Location"], "r101"), (["x", "Tag", "Room"], "r900")):
        table = sheet([*further, *GOOD], head=[*head, *HEAD])
        assert lessons(tmp_path, table.encode()) == [ONE[0].replace("r101", room)]


STATUS = [*HEAD, "status"]
OFF = "does not say that it takes place"


@pytest.mark.parametrize(
    "word",
    ["", "-", "ok", "Confirmed", "bestätigt", "Ja", "confirmé", "sí", "a lieu", "findet statt"],
)
def test_a_status_that_speaks_for_a_lesson(tmp_path: Path, word: str) -> None:
    assert lessons(tmp_path, sheet([*GOOD, word], head=STATUS).encode()) == ONE


@pytest.mark.parametrize(
    "word", ["tentative", "vorläufig", "provisional", "nein", "no", "x", "?", "0"]
)
def test_any_other_status_speaks_against_it(tmp_path: Path, word: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(sheet([*GOOD, word], head=STATUS).encode())
    plan, ignored_count = Timetable(path, BERLIN).on(MONDAY)
    assert plan == []
    assert [OFF in one.why for one in ignored_count] == [True]


@pytest.mark.parametrize(
    ("start", "end", "left"),
    [
        ("9:15", "10:00", ["Late"]),
        ("8:00", "9:45", ["Late"]),
        ("8:00", "9:15", ["Optics", "Late"]),
        *[("", "", list[str]()), ("9:15", "", list[str]()), ("", "10:00", ["Late"])],
        *[("soon", "later", list[str]()), ("10:30", "", ["Optics"])],
    ],
)
def test_a_date_that_is_called_off_takes_what_lies_in_its_time(
    tmp_path: Path, start: str, end: str, left: list[str]
) -> None:
    """Of a time that cannot be read, what it may have meant; in its own room, on its own day."""
    late = ["Monday", "11:00", "11:45", "R101", "Late", ""]
    off = ["2.3.2026", start, end, "R101", "Optics", "", "entfällt"]
    path = tmp_path / "t.csv"
    path.write_bytes(sheet([*GOOD, ""], [*late, ""], off, head=STATUS).encode())
    table = Timetable(path, BERLIN)
    assert [one.title for one in table.on(MONDAY)[0]] == left
    assert len(table.on(MONDAY + timedelta(days=7))[0]) == 2


def test_where_no_row_can_be_read_their_number_is_said(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(sheet(["Someday", *GOOD[1:]], ["Never", *GOOD[1:]]))
    with pytest.raises(UserError, match=r"line 2: .*Someday.* \(and 1 more"):
        Timetable(path, BERLIN)


@pytest.mark.parametrize("length", range(1, 7))
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_row_that_ends_early_leaves_the_others(length: int, delimiter: str) -> None:
    """Programs leave off the cells at its end that hold nothing; a title may be one."""
    text = sheet(GOOD, GOOD[:length], GOOD, delimiter=delimiter)
    table = Spreadsheet(text.encode(), "t.csv", None)
    assert len(table.rows) + len(table.faults) == 3
    assert len(table.rows) == (3 if length > 3 else 2)


def test_a_title_stands_above_the_headings(tmp_path: Path) -> None:
    assert lessons(tmp_path, ("Timetable 2026,,,,,\n,,,,,\n" + sheet(GOOD)).encode()) == ONE


@pytest.mark.parametrize("sign", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_a_sign_that_some_take_for_a_line_end_is_none(sign: str) -> None:
    table = Spreadsheet(sheet([*GOOD[:4], f"Op{sign}tics", "tess"]).encode(), "t.csv", None)
    assert (len(table.rows), table.faults, table.rows[0].teacher) == (1, [], "tess")


def test_no_teacher_is_no_word(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(sheet([*GOOD[:5]], head=HEAD[:5]))
    text = command(tmp_path, path, "--date", "2026-03-02", "--days", "1")
    assert text == "Mon 2026-03-02 09:15 to 10:00  r101 Optics\n"


def test_a_lesson_over_midnight_is_one_lesson_of_both_days(tmp_path: Path) -> None:
    text = sheet(["Monday", "23:30", "00:30", *GOOD[3:]]).encode()
    assert lessons(tmp_path, text) == lessons(tmp_path, text, day=MONDAY + timedelta(days=1))
    assert lessons(tmp_path, text, day=MONDAY + timedelta(days=2)) == []


CELLS = st.one_of(
    st.sampled_from([*GOOD, "", "99:99", '"', "\x00", "Di", "1/1/1"]), st.text(max_size=8)
)


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.lists(CELLS, max_size=8), max_size=5), delimiter=st.sampled_from(",;\t"))
def test_whatever_stands_in_other_rows_a_good_one_is_read(
    rows: list[list[str]], delimiter: str
) -> None:
    text = sheet(GOOD, *rows, delimiter=delimiter)
    table = Spreadsheet(text.encode("utf-8", errors="replace"), "t.csv", None)
    assert table.rows[0].title == "Optics"


def test_a_quote_that_nobody_closes_takes_its_own_row_alone() -> None:
    text = sheet(GOOD) + 'Monday,"10:00,10:45,r102,Waves,tess\r\n' + "Friday,8:00,9:00,r103,x,y\r\n"
    table = Spreadsheet(text.encode(), "t.csv", None)
    assert [row.room for row in table.rows] == ["r101", "r102", "r103"]


@pytest.mark.parametrize(
    ("text", "rooms"),
    [
        *(
            (text, ["r101"])
            for text in ("R101", "R 101", "R-101", "Room R101", "Raum R101", "r101.")
        ),
        ("A.101", ["a-101"]),
        ("R101, R102", ["r101", "r102"]),
        ("R101; Salle R102", ["r101", "r102"]),
        ("Zimmer 7", ["7"]),
        ("Hörsaal 1", ["horsaal1"]),
        *((f"R101 {sign} R102", ["r101", "r102"]) for sign in "/+&|"),
        *(
            (text, ["r101", "r102"])
            for text in ("R101/R102", "R101/102", "R 101/R 102", "R101+R102")
        ),
        *(
            (text, [])
            for text in ("Zoom", "Microsoft Teams-Besprechung", "via Zoom: 123 456", "Online")
        ),
        *((text, ["r101", "r102", "r103"]) for text in ("R101/R102/R103", "R101/102/103 (Zoom)")),
        *(
            ("101/102", ["101", "102"]),
            ("A101/B102", ["a101", "b102"]),
            ("R101 und R102", ["r101", "r102"]),
        ),
        *(
            ("N/A", []),
            ("zoom.us/j/123", []),
            ("R101 (Physics)", ["r101"]),
            ("Art and music", ["art-and-music"]),
        ),
        ("Virtual reality lab", ["virtual-reality-lab"]),
        ("school/r101", ["r101"]),
        ("school1/r101", ["r101"]),
        ("https://meet.example/abc-def", []),
        ("R101, https://meet.example/abc-def", ["r101"]),
        ("Room", []),
        ("", []),
        ("?!", []),
        ("x" * 60, []),
    ],
)
def test_rooms_as_calendars_write_them(text: str, rooms: list[str]) -> None:
    assert [place.room for place in RoomNames().find(text)] == rooms


def test_the_settings_say_what_a_calendar_means() -> None:
    names = RoomNames({"r101": ("Hörsaal 1", "Main hall, first floor"), "north/lab-2": ("Lab 2",)})
    assert names.find("HÖRSAAL 1") == [(None, "r101")]
    assert names.find("Main hall, first floor") == [(None, "r101")]
    assert names.find("Hörsaal 1, Lab-2") == [(None, "r101"), ("north", "lab-2")]


def command(folder: Path, timetable: Path, *more: str) -> str:
    config = folder / "collector.yaml"
    config.write_text(
        f"database: sqlite:///{folder}/c.sqlite\nstate: {folder}/state\n"
        f"school: {{timezone: {BERLIN}, timetable: {timetable}}}\n"
    )
    result = CliRunner().invoke(
        collector, ["timetable", "--config", str(config), *more], catch_exceptions=False
    )
    return result.stdout


def test_an_event_without_a_room_is_ignored_and_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(sheet(GOOD, [*GOOD[:3], "?!", "Lost", "tess"]))
    output = json.loads(command(tmp_path, path, "--date", "2026-03-02", "--days", "1", "--json"))
    assert [one["title"] for one in output["lessons"]] == ["Optics"]
    assert output["ignored"] == [{"event": "Lost (2026-03-02)", "why": "names no room: ?!"}]


@pytest.mark.skipif(not REPORTS.exists(), reason="the shared reports are not here")
@pytest.mark.parametrize(
    ("name", "room", "ignored_count"),
    [
        ("calendars/cancelled.ics", None, 1),
        ("calendars/no-dtstart.ics", "r101", 1),
        ("calendars/bad-dtstart.ics", "r101", 1),
        ("calendars/overnight.ics", "r101", 0),
        ("calendars/loc-space.ics", "r101", 0),
        ("calendars/loc-dot.ics", "a-101", 0),
        ("timetables/semicolon-bom-crlf.csv", "r101", 0),
        ("timetables/us-excel.csv", "r101", 0),
        ("timetables/empty-rows.csv", "r101", 0),
    ],
)
def test_reports_from_the_field(
    tmp_path: Path, name: str, room: str | None, ignored_count: int
) -> None:
    path = (REPORTS / name).resolve()
    output = json.loads(command(tmp_path, path, "--date", "2026-03-02", "--json"))
    assert [one["room"] for one in output["lessons"]] == ([room] if room else [])
    assert len(output["ignored"]) == ignored_count
