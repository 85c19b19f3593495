"""Days on which no room of the school has a lesson, wherever the school writes them."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml

from collector.config import CollectorSettings
from collector.lessons.timetable import Timetable, timetable_of
from edge.common.errors import UserError
from edge.common.settings import load
from tests.publisher import Publisher

HEADINGS = "day,start,end,room,title,teacher\n"
LESSONS = HEADINGS + "Monday,09:15,10:00,r101,Optics,tess\nTuesday,09:15,10:00,r102,History,otto\n"
MONDAY = date(2026, 3, 2)
ICS = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:{first}
DTEND;VALUE=DATE:{last}
SUMMARY:Winter break
END:VEVENT
END:VCALENDAR
"""


def titles(table: Timetable, day: date) -> list[str]:
    return [lesson.title for lesson in table.on(day)[0]]


@pytest.mark.parametrize(
    "row",
    [
        *("2026-03-02,,,,Schulfrei,", "2026-03-02,,,,No school today,", "2.3.2026,,,,Jour férié,"),
        *("Mo 2.3.2026,,,,Winterferien,", "2026-03-02,08:00,13:00,,School closed,"),
        *("2026-03-02,,,,,Día festivo", "2026-03-02,00:00,24:00,,Rosenmontag (schulfrei),"),
    ],
)
def test_a_row_without_a_room_that_says_so_is_a_day_without_lessons(
    row: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(LESSONS + row + "\n")
    table = Timetable(path, "Europe/Berlin")
    assert titles(table, MONDAY) == []
    ((event, why),) = table.on(MONDAY)[1]
    assert (event, why.startswith("called off by ")) == ("the day's lessons", True)
    assert table.faults == []
    assert titles(table, MONDAY + timedelta(days=1)) == ["History"]
    assert titles(table, MONDAY + timedelta(weeks=1)) == ["Optics"]


@pytest.mark.parametrize(
    "row",
    [
        "2026-03-02,09:15,10:00,,Optics,",  # a slip
        "2026-03-02,,,,Staff meeting,",
        "Monday,,,,Schulfrei,",  # every Monday of the year
        "somewhen,,,,Schulfrei,",
    ],
)
def test_any_other_row_without_a_room_is_a_fault_and_takes_nothing(
    row: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(LESSONS + row + "\n")
    table = Timetable(path, "Europe/Berlin")
    assert titles(table, MONDAY) == ["Optics"]
    assert len(table.faults) == 1


def settings(tmp_path: Path, **school: object) -> CollectorSettings:
    (tmp_path / "t.csv").write_text(LESSONS)
    config = tmp_path / "collector.yaml"
    content = {"state": "state", "school": {"timetable": "t.csv", **school}}
    config.write_text(yaml.safe_dump(content))
    return load(CollectorSettings, config)


def test_days_of_the_settings(tmp_path: Path) -> None:
    table = timetable_of(settings(tmp_path, holidays=["2026-03-02", "2026-03-09/2026-03-20"]))
    assert table is not None
    assert table.on(MONDAY) == ([], [("the day's lessons", "holiday")])
    assert [titles(table, MONDAY + timedelta(weeks=n)) for n in range(4)] == [
        *([], [], []),
        ["Optics"],
    ]


def test_a_calendar_of_holidays_is_read_again_and_kept_when_it_breaks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "holidays.ics"
    path.write_text(ICS.format(first="20260302", last="20260303"))
    table = timetable_of(settings(tmp_path, holidays_calendar="holidays.ics"))
    assert table is not None

    now = datetime(2026, 3, 2, 8, 20, tzinfo=timezone.utc)

    def lessons() -> list[list[str]]:
        time.sleep(0.01)  # another time of change
        table.now(now)
        return [titles(table, MONDAY + timedelta(weeks=n)) for n in range(2)]

    assert lessons() == [[], ["Optics"]]
    path.write_text(ICS.format(first="20260309", last="20260310"))
    assert lessons() == [["Optics"], []]
    path.write_text("nothing of the sort")
    assert lessons() == [["Optics"], []]
    assert "keeping the holidays" in caplog.text


def test_no_lesson_begins_before_the_holidays_of_an_address_were_fetched_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "web"
    folder.mkdir()
    server = Publisher(folder)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    server.publish(ICS.format(first="20260302", last="20260303").encode())
    try:
        table = timetable_of(settings(tmp_path, holidays_calendar=f"{server.url}/x/h.ics"))
        assert table is not None
        tuesday = MONDAY + timedelta(days=1)
        for day in (MONDAY, tuesday):
            lessons, ((event, why),) = table.on(day)
            assert (lessons, event) == ([], "the day's lessons")
            assert why.startswith("the holidays of https://")
            assert why.endswith(" were not fetched yet")
        assert table.now(datetime(2026, 3, 3, 8, 20, tzinfo=timezone.utc)) == []
        for one, check in table.web_sources:
            one.fetch(check)
        assert table.on(MONDAY) == ([], [("the day's lessons", "holiday")])
        assert titles(table, tuesday) == ["History"]
    finally:
        server.stop()


def test_one_that_cannot_be_read_at_the_start_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holidays\.ics"):
        timetable_of(settings(tmp_path, holidays_calendar="holidays.ics"))
    with pytest.raises(UserError, match="before"):
        settings(tmp_path, holidays=["2026-03-09/2026-03-02"])
