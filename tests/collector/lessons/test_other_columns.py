"""Columns and rows by which people say that a lesson of a spreadsheet is not held, and when."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from collector.lessons.timetable import Timetable

MONDAY = date(2026, 3, 9)
HEAD = "day;start;end;room;title"
MATHS = "Mo;9:15;10:00;R101;Mathe"
ART = "Mo;9:15;10:00;R102;Kunst"
DATE = "09.03.2026"


def table(folder: Path, *lines: str, harmless: tuple[str, ...] = ()) -> Timetable:
    path = folder / "t.csv"
    path.write_text("\n".join(lines) + "\n")
    return Timetable(path, "Europe/Berlin", harmless=harmless, logs=False)


def titles(of: Timetable, day: date = MONDAY) -> list[str]:
    return sorted(one.title for one in of.on(day)[0])


@pytest.mark.parametrize("heading", ["Entfall", "cancelled", "annulé", "fällt aus", "Entfällt?"])
@pytest.mark.parametrize(
    ("cell", "is_off"),
    [
        *(("ja", True), ("x", True), ("TRUE", True), ("oui", True), ("1", True), ("✓", True)),
        *(("krank", True), ("", False), ("nein", False), ("FALSE", False), ("0", False)),
        ("-", False),
    ],
)
def test_a_column_that_asks_whether_it_is_off(
    heading: str, cell: str, is_off: bool, tmp_path: Path
) -> None:
    of = table(tmp_path, f"{HEAD};{heading}", f"{MATHS};{cell}", f"{ART};")
    assert titles(of) == (["Kunst"] if is_off else ["Kunst", "Mathe"])
    assert of.faults == []


def test_a_column_that_nobody_reads_is_named_once(tmp_path: Path) -> None:
    of = table(tmp_path, f"{HEAD};Woche;Notes", f"{MATHS};B;x", f"{ART};A;y")
    assert [one.event for one in of.faults] == ["column 'woche'"]
    assert titles(of) == ["Kunst", "Mathe"]
    assert table(tmp_path, f"{HEAD};Woche", f"{MATHS};").faults == []


def test_rows_count_from_a_day_to_another(tmp_path: Path) -> None:
    of = table(
        tmp_path,
        f"{HEAD};gültig ab;gültig bis",
        f"{MATHS};;31.01.2026",
        f"{ART};09.03.2026;16.03.2026",
        "Mo;9:15;10:00;R103;Latin;;soon",
    )
    assert [titles(of, MONDAY + timedelta(weeks=n)) for n in range(-1, 3)] == [
        *([], ["Kunst"]),
        *(["Kunst"], []),
    ]
    assert titles(of, date(2026, 1, 26)) == ["Mathe"]
    assert [one.why.startswith("column 'valid until': soon") for one in of.faults] == [True]


OUTLOOK = (
    "Subject;Start Date;Start Time;End Date;End Time;All day event;Private;Show time as;Location"
)


@pytest.mark.parametrize(
    ("row", "left"),
    [
        (f"Mathe;{DATE};9:15;{DATE};10:00;False;False;2;R101", ["Mathe"]),
        (f"Mathe;{DATE};9:15;{DATE};10:00;False;True;2;R101", []),
        *((f"Mathe;{DATE};9:15;{DATE};10:00;False;False;{n};R101", []) for n in (1, 3, 4, 5)),
        (f"Mathe;{DATE};9:15;{DATE};10:00;True;False;2;R101", []),
        (f"Mathe;{DATE};9:15;12.03.2026;10:00;False;False;2;R101", []),
    ],
)
def test_what_outlook_says_of_a_time(row: str, left: list[str], tmp_path: Path) -> None:
    other = f"Kunst;{DATE};9:15;{DATE};10:00;False;False;2;R102"
    assert titles(table(tmp_path, OUTLOOK, row, other)) == sorted([*left, "Kunst"])


@pytest.mark.parametrize(
    ("last", "times", "place", "days_off"),
    [
        *((("11.03.2026"), ";", place, 3) for place in ("", "Deutschland", "alle")),
        (DATE, ";", "", 1),
        ("12.03.2026", "0:00;0:00", "", 3),  # the midnight at which it ends
    ],
)
def test_a_holiday_of_an_export_is_off_to_its_last_day(
    last: str, times: str, place: str, days_off: int, tmp_path: Path
) -> None:
    begin, end = times.split(";")
    lessons = [
        f"Mathe;{MONDAY + timedelta(n):%d.%m.%Y};9:15;;10:00;False;False;2;R101" for n in range(5)
    ]
    holiday = f"Ferien;{DATE};{begin};{last};{end};True;False;3;{place}"
    of = table(tmp_path, OUTLOOK, *lessons, holiday)
    days = [bool(titles(of, MONDAY + timedelta(n))) for n in range(5)]
    assert days == [n >= days_off for n in range(5)]


@pytest.mark.parametrize(
    "row",
    [
        *(f"{DATE};;;{room};Ferien" for room in ("alle", "-", "Schule", "all rooms", "–", "tous")),
        *("09.03.2026-13.03.2026;;;;Ferien", "09.03.-13.03.2026;;;;Ferien", f"{DATE};;;;1. Mai"),
        *("2026-03-08/2026-03-13;;;;Ferien", "9.3.2026 bis 13.3.2026;;;alle;Ferien"),
        *(f"{DATE};;;;Kein Unterricht", f"{DATE};;;alle;Kein Unterricht", "46090;;;;Ferien"),
    ],
)
def test_a_day_off_for_all_however_its_room_and_days_are_written(row: str, tmp_path: Path) -> None:
    of = table(tmp_path, HEAD, MATHS, ART, row)
    assert titles(of) == []
    assert titles(of, MONDAY + timedelta(weeks=1)) == ["Kunst", "Mathe"]
    assert of.faults == []


def test_of_two_days_that_a_holiday_may_be_both_are_off(tmp_path: Path) -> None:
    of = table(tmp_path, HEAD, MATHS, "Do;9:15;10:00;R101;Latin", "3/9/2026;;;;Bank holiday")
    assert titles(of) == titles(of, date(2026, 9, 3)) == []
    assert titles(of, date(2026, 9, 10)) == ["Latin"]
    assert "school.date_order" in of.faults[0].why


@pytest.mark.parametrize(
    ("row", "left"),
    [
        (f"{DATE};9:15;10:00;;Mathe entfällt", ["Kunst"]),
        (f"{DATE};9:15;10:00;;entfällt", []),
        (f"{DATE};11:15;12:00;;Mathe entfällt", ["Kunst", "Mathe"]),
        (f"{DATE};9:15;10:00;R101;Wandertag", ["Kunst"]),
        (f"{DATE};9:15;10:00;R101;Besuch", ["Kunst"]),
        (f"{DATE};9:30;10:30;Raum 101;Besuch", ["Kunst"]),
        (f"{DATE};9:15;10:00;R103;Besuch", ["Besuch", "Kunst", "Mathe"]),
        (f"{DATE};10:00;10:45;R101;Besuch", ["Besuch", "Kunst", "Mathe"]),
        (f"{DATE};9:15;10:00;R101;Mathe 7b", ["Kunst", "Mathe", "Mathe 7b"]),
        ("Mo;9:15;10:00;R101;Latein", ["Kunst", "Latein", "Mathe"]),
    ],
)
def test_a_row_of_one_date_beside_the_lesson_of_every_week(
    row: str, left: list[str], tmp_path: Path
) -> None:
    """What nobody knows shuts it, as in a calendar (decision 0059)."""
    of = table(tmp_path, HEAD, MATHS, ART, row)
    assert titles(of) == left
    assert titles(of, MONDAY + timedelta(weeks=1))[:1] == ["Kunst"]


@pytest.mark.parametrize(
    ("row", "left"),
    [
        (f"{DATE};;;;7b kein Unterricht", ["Kunst 8c"]),
        (f"{DATE};;;;Klasse 7 kein Unterricht", ["Kunst 8c"]),
        (f"{DATE};;;;Wandertag 8c", ["Mathe 7b"]),
        (f"{DATE};8:00;13:00;;Kein Unterricht 7b", ["Kunst 8c"]),
        (f"{DATE};8:00;13:00;;Kein Unterricht", []),
        (f"{DATE};;;;Mathe entfällt", ["Kunst 8c"]),
        (f"{DATE};14:00;15:00;;Konferenz abgesagt", ["Kunst 8c", "Mathe 7b"]),
    ],
)
def test_a_row_without_a_room_takes_what_it_names(
    row: str, left: list[str], tmp_path: Path
) -> None:
    assert titles(table(tmp_path, HEAD, f"{MATHS} 7b", f"{ART} 8c", row)) == left


def test_what_the_settings_call_harmless_leaves_the_lesson(tmp_path: Path) -> None:
    row = f"{DATE};9:15;10:00;R101;Besuch"
    of = table(tmp_path, HEAD, MATHS, ART, row)
    assert {one.why.rpartition(": ")[2] for one in of.on(MONDAY)[1]} == {"Besuch", "Mathe"}
    of = table(tmp_path, HEAD, MATHS, ART, row, harmless=("Besuch*",))
    assert titles(of) == ["Besuch", "Kunst", "Mathe"]


def test_lessons_that_are_all_of_dates_stand_beside_each_other(tmp_path: Path) -> None:
    """Of groups that meet every week, as a calendar is exported."""
    rows = [
        f"{MONDAY + timedelta(weeks=n):%d.%m.%Y};9:15;{end};R101;{title}"
        for n in range(3)
        for title, end in (("Mathe", "10:00"), ("Latein", "10:15"))
    ]
    assert titles(table(tmp_path, HEAD, *rows), MONDAY + timedelta(weeks=1)) == ["Latein", "Mathe"]


@pytest.mark.parametrize(
    "head",
    [
        "Beginnt am;Beginnt um;Endet um;Ort;Betreff",
        *("Tag;Startzeit;Endzeit;Raum;Fach", "Tag;Uhrzeit von;Uhrzeit bis;Raum;Fach"),
        "Fecha;Hora de inicio;Hora de fin;Aula;Asunto",
    ],
)
def test_further_headings(head: str, tmp_path: Path) -> None:
    assert titles(table(tmp_path, head, f"{DATE};9:15;10:00;R101;Mathe")) == ["Mathe"]


@pytest.mark.parametrize(
    ("day", "numbers"),
    [
        *(("Montags", [0]), ("Mo-Fr", [0, 1, 2, 3, 4]), ("Mo bis Mi", [0, 1, 2])),
        *(
            ("Mon, Wed", [0, 2]),
            ("Di/Do", [1, 3]),
            ("lundi et jeudi", [0, 3]),
            ("Sa-Mo", [0, 5, 6]),
        ),
    ],
)
def test_several_days_of_the_week(day: str, numbers: list[int], tmp_path: Path) -> None:
    of = table(tmp_path, HEAD, f'"{day}";9:15;10:00;R101;Mathe')
    assert [n for n in range(7) if titles(of, MONDAY + timedelta(n))] == numbers


@pytest.mark.parametrize("start", ["10h", "10 Uhr", "0,416666667", "0.4166666667"])
def test_further_times(start: str, tmp_path: Path) -> None:
    (lesson,), _ = table(tmp_path, HEAD, f"{DATE};{start};11:00;R101;Mathe").on(MONDAY)
    assert f"{lesson.start:%H:%M}" == "10:00"
