"""What is given in place of a timetable, and columns that stand twice, are told of."""

from __future__ import annotations

import pytest

from collector.lessons.spreadsheet import Spreadsheet
from edge.common.errors import UserError


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04mimetype", "a workbook"),
        (b"\xd0\xcf\x11\xe0\0\0", "a workbook"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"<table><tr><td>day</td></tr></table>", "a web page"),
        (b"\xef\xbb\xbf\r\n <TABLE>", "a web page"),
        ("<table>".encode("utf-16"), "a web page"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x1f\x8b\x08\0", "compressed"),
    ],
)
def test_another_kind_of_file_is_called_what_it_is(content: bytes, kind: str) -> None:
    with pytest.raises(UserError, match=f"is {kind}, not CSV: save the timetable as CSV"):
        Spreadsheet(content, "t.csv", None)


@pytest.mark.parametrize("name", ["day", "start", "end", "room", "title"])
def test_a_second_column_of_one_name_is_told_of_and_takes_no_lesson(name: str) -> None:
    row = {"day": "mon", "start": "9:15", "end": "10:00", "room": "r1", "title": "Optics"}
    lines = [",".join([*row, name]), ",".join([*row.values(), "x"])]
    table = Spreadsheet("\n".join(lines).encode(), "t.csv", None)
    assert [(one.room, one.title) for one in table.rows] == [("r1", "Optics")]
    assert [one.event for one in table.faults] == [f"second column '{name}'"]
