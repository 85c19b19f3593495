"""Rows of a timetable that speak of one another, and columns beside those that are ours."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from collector.lessons.timetable import Timetable
from tests.collector.lessons.test_timetable import BERLIN, MONDAY, sheet

PAIR = ["day", "start", "end", "room", "title"]
MATHS = ["2026-03-02", "9:15", "10:00", "R101", "Maths"]


@pytest.mark.parametrize(
    ("rows", "left"),
    [
        ([MATHS, [*MATHS[:4], "Maths cancelled"]], []),
        ([MATHS, [*MATHS[:4], "Maths cancelled"], [*MATHS[:4], "German"]], ["German"]),
        ([["Monday", *MATHS[1:]], ["2026-03-02", *MATHS[1:3], "Room 101", "off: cancelled"]], []),
        ([["Monday", *MATHS[1:]], ["Monday", *MATHS[1:4], "Maths cancelled"]], []),
        ([["Monday", *MATHS[1:]], ["Monday", *MATHS[1:4], "Art cancelled"]], ["Maths"]),
    ],
)
def test_a_row_that_calls_off_takes_the_lesson_beside_it(
    tmp_path: Path, rows: list[list[str]], left: list[str]
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(sheet(*rows, head=PAIR).encode())
    plan, _ = Timetable(path, BERLIN).on(MONDAY)
    assert [one.title for one in plan] == left


@pytest.mark.parametrize("column", ["Bemerkung", "Info", "Notes", "Art", "teacher", "Vertretung"])
def test_a_cancellation_in_any_column_is_read(tmp_path: Path, column: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(
        sheet([*MATHS, "entfällt"], [*MATHS[:4], "Art", "fine"], head=[*PAIR, column]).encode()
    )
    plan, ignored_events = Timetable(path, BERLIN).on(MONDAY)
    assert [one.title for one in plan] == ["Art"]
    assert [one.event for one in ignored_events] == ["Maths (2026-03-02)"]


@pytest.mark.parametrize("head", [["Day", "Date"], ["Tag", "Datum"], ["Wochentag", "Datum"]])
def test_of_a_weekday_and_its_date_the_date_counts(tmp_path: Path, head: list[str]) -> None:
    path = tmp_path / "t.csv"
    rows = [["Monday", *MATHS], ["Tuesday", *MATHS]]
    path.write_bytes(sheet(*rows, head=[*head, *PAIR[1:]]).encode())
    table = Timetable(path, BERLIN)
    assert [one.title for one in table.on(MONDAY)[0]] == ["Maths"]
    assert table.on(MONDAY + timedelta(days=7))[0] == []
    assert [fault.event for fault in table.faults] == ["line 3"]
