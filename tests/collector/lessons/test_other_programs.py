"""Tables as Outlook and Google export calendars, and times as people type them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from collector.config import CollectorSettings
from collector.lessons.timetable import Timetable
from edge.common.errors import UserError
from edge.common.settings import load

OUTLOOK = (
    '"Subject","Start Date","Start Time","End Date","End Time","All day event","Description",'
    '"Location"\r\n'
    '"Optics","3/2/2026","9:15:00 AM","3/2/2026","10:00:00 AM","False","","R101"\r\n'
    '"History","3/2/2026","1:15:00 PM","3/2/2026","2:00:00 PM","False","","R102"\r\n'
)


def test_a_calendar_that_outlook_or_google_exports(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(OUTLOOK)
    table = Timetable(path, "Europe/Berlin", order="mdy")
    lessons, ignored_events = table.on(date(2026, 3, 2))
    assert ignored_events == table.faults == []
    times = [(one.title, one.room, f"{one.start:%H:%M}", f"{one.end:%H:%M}") for one in lessons]
    assert times == [
        ("Optics", "r101", "09:15", "10:00"),
        ("History", "r102", "13:15", "14:00"),
    ]


@pytest.mark.parametrize(
    ("start", "end", "expectation"),
    [
        ("8 AM", "9 AM", "08:00"),
        ("12 am", "1am", "00:00"),
        ("12pm", "1 p.m.", "12:00"),
        ("0800", "0845", "08:00"),
        ("2200", "24:00", "22:00"),
        *((text, "23:59", None) for text in ("2460", "13 PM", "800", "8", "80000")),
    ],
)
def test_times_as_people_type_them(
    start: str, end: str, expectation: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "day,start,end,room,title\n"
        f"2026-03-02,{start},{end},R101,Optics\n2026-03-02,10:00,11:00,R102,History\n"
    )
    table = Timetable(path, "Europe/Berlin")
    times = {one.title: f"{one.start:%H:%M}" for one in table.on(date(2026, 3, 2))[0]}
    assert times.get("Optics") == expectation
    assert len(table.faults) == (expectation is None)


@pytest.mark.parametrize(
    "address",
    [
        "https//cal.example/SECRET",
        "https:/cal.example/SECRET",
        "webcal:cal.example/SECRET",
        "http;//x/SECRET",
    ],
)
def test_a_slip_in_an_address_shows_nothing_of_it(address: str, tmp_path: Path) -> None:
    config = tmp_path / "collector.yaml"
    config.write_text(yaml.safe_dump({"school": {"timetable": address}}))
    with pytest.raises(UserError, match="an address without ://") as refusal:
        load(CollectorSettings, config)
    assert "SECRET" not in str(refusal.value)
