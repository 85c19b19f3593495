"""Every shared report is read or refused as their README says; a new one needs a case."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from collector.cli import collector
from edge.camera import make
from edge.cli import agent
from edge.common.errors import UserError
from edge.common.settings import load, show
from edge.config import AgentSettings

REPORTS = Path("../shared/reports")
MONDAY = date(2026, 3, 2)

Case = Callable[[Path, Path], None]
"""Checks a file; the second path is a folder of the test's own."""

pytestmark = pytest.mark.skipif(not REPORTS.exists(), reason="the shared reports are not here")


def write(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(content))
    return path


def lessons(file: Path, folder: Path, day: date, days: int) -> dict[str, list[dict[str, str]]]:
    school = {"timezone": "Europe/Berlin", "timetable": str(file.resolve())}
    content = {"database": f"sqlite:///{folder}/c.sqlite", "state": "c", "school": school}
    options = ("--config", str(write(folder, "c.yaml", content)))
    plan = ("--date", str(day), "--days", str(days), "--json")
    result = CliRunner().invoke(collector, ["timetable", *options, *plan], catch_exceptions=False)
    read: dict[str, list[dict[str, str]]] = json.loads(result.stdout)
    return read


def opens(file: Path, folder: Path) -> list[str]:
    schedule = {"timezone": "Europe/Berlin", "calendar": str(file.resolve())}
    content = {"site": "s", "room": "r", "state": "a", "schedule": schedule}
    options = ("--config", str(write(folder, "a.yaml", content)))
    plan = ("--date", str(MONDAY), "--days", "7", "--json")
    result = CliRunner().invoke(agent, ["schedule", *options, *plan], catch_exceptions=False)
    return [
        f"{datetime.fromisoformat(one['start']):%d. %H:%M}"
        for one in json.loads(result.stdout)["open"]
    ]


def calendar(*edges: str, room: str = "r101", ignored_count: int = 0) -> Case:
    """A calendar with one lesson that begins and ends so, or none, in both readers."""

    def check(file: Path, folder: Path) -> None:
        plan = lessons(file, folder, MONDAY, 7)
        spans = [
            f"{datetime.fromisoformat(one[edge]):%d. %H:%M}"
            for one in plan["lessons"]
            for edge in ("start", "end")
        ]
        assert sorted({*spans}) == sorted({*edges})
        assert {one["room"] for one in plan["lessons"]} == ({room} if edges else set())
        assert len(plan["ignored"]) == ignored_count
        assert all(one["why"] for one in plan["ignored"])
        assert sorted({*opens(file, folder)}) == sorted({*edges[:1]})

    return check


def timetable(file: Path, folder: Path) -> None:
    """One lesson each Monday, and on no other day."""
    for week in (MONDAY, MONDAY + timedelta(days=7)):
        (one,) = lessons(file, folder, week, 7)["lessons"]
        start, end = (datetime.fromisoformat(one[edge]) for edge in ("start", "end"))
        assert (start.date(), f"{start:%H:%M}", f"{end:%H:%M}") == (week, "09:15", "10:00")
        assert (one["room"], one["title"], one["teacher"]) == ("r101", "Optics", "tess")


def film(file: Path, _: Path) -> None:
    camera = make(str(file))
    camera.open()
    try:
        for _frame in range(120):
            assert camera.read().size
    finally:
        camera.close()


def rejection(*words: str) -> Case:
    def check(file: Path, folder: Path) -> None:
        path = folder / "a.yaml"
        path.write_text(file.read_text())
        with pytest.raises(UserError) as error:
            load(AgentSettings, path)
        assert all(word in str(error.value) for word in words), str(error.value)

    return check


def round_trip(file: Path, folder: Path) -> None:
    path = folder / "a.yaml"
    path.write_text(file.read_text())
    first = load(AgentSettings, path)
    result = CliRunner().invoke(agent, ["show-config", "--config", str(path)])
    assert result.exit_code == 0
    path.write_text(result.stdout)
    assert load(AgentSettings, path) == first
    assert show(first) == result.stdout


ONE = ("02. 09:15", "02. 10:00")
CASES: dict[str, Case] = {
    "calendars/cancelled.ics": calendar(ignored_count=1),
    "calendars/no-dtstart.ics": calendar(*ONE, ignored_count=1),
    "calendars/bad-dtstart.ics": calendar(*ONE, ignored_count=1),
    "calendars/overnight.ics": calendar("02. 23:30", "03. 00:30"),
    "calendars/loc-space.ics": calendar(*ONE),
    "calendars/loc-dot.ics": calendar(*ONE, room="a-101"),
    "timetables/semicolon-bom-crlf.csv": timetable,
    "timetables/us-excel.csv": timetable,
    "timetables/empty-rows.csv": timetable,
    "films/raw.h264": film,
    "settings/times-as-numbers.yaml": rejection("0.3", '"00:30"', "23.59", '"23:59"'),
    "settings/show-config-fails.yaml": round_trip,
}


def listing() -> list[str]:
    return sorted(
        str(file.relative_to(REPORTS))
        for file in REPORTS.rglob("*")
        if file.is_file() and file.name != "README.md"
    )


@pytest.mark.parametrize("name", listing())
def test_it_is_read_or_refused_as_the_readme_says(name: str, tmp_path: Path) -> None:
    assert name in CASES, "a report without a case"
    CASES[name](REPORTS / name, tmp_path)


def test_each_case_has_its_file() -> None:
    assert {*CASES} == {*listing()}
