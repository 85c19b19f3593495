"""Both `check` commands list every fault, each once, and end with a status that is not 0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from collector.cli import collector
from edge.cli import agent
from tests.free import free_port

pytestmark = pytest.mark.once

BROKEN_FILE = "no calendar at all"

AGENT_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "model": ({"model": "models/none"}, "models/none"),
    "camera": ({"camera": "none.mp4"}, "none.mp4"),
    "detector": ({"faces": {"detector": "yunet", "model": "none.onnx"}}, "none.onnx"),
    "broker": ({"broker": {"ca": "broken.pem"}}, "broker: {folder}/broken.pem"),
    "calendar": ({"schedule": {"calendar": "broken.ics"}}, "broken.ics"),
    "holidays": ({"schedule": {"holidays_calendar": "holidays.ics"}}, "holidays.ics"),
}
COLLECTOR_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "address": ({"web": {"url": "https://school.example/lessons"}}, "web.url"),
    "certificate": ({"web": {"certificate": "broken.pem", "key": "broken.pem"}}, "web: "),
    "site": ({"fleet": {"site": "s", "folder": "none", "broker_host": "b"}}, "{folder}/none"),
    "timetable": ({"school": {"timetable": "broken.ics"}}, "broken.ics"),
    "broker": ({"broker": {"ca": "broken.pem"}}, "broker: {folder}/broken.pem"),
    "database": ({"database": "sqlite:////none/at/all.sqlite"}, "check 'database'"),
}
ENDS: dict[str, tuple[click.Group, dict[str, tuple[dict[str, Any], str]]]] = {
    "agent": (agent, AGENT_FAULTS),
    "collector": (collector, COLLECTOR_FAULTS),
}


def check(folder: Path, end: str, faults: list[str]) -> Result:
    group, cases = ENDS[end]
    for name in ("broken.mp4", "broken.pem", "broken.ics", "holidays.ics"):
        (folder / name).write_text(BROKEN_FILE)
    content: dict[str, Any] = {"state": "state", "broker": {"port": free_port()}}
    if end == "agent":
        weekly = {"days": ["mon"], "start": "8:00", "end": "9:00"}
        content |= {"site": "s", "room": "r", "camera": "sim:seats=2,seed=1"}
        content["schedule"] = {"timezone": "Europe/Berlin", "lessons": [weekly]}
    else:
        content["database"] = f"sqlite:///{folder}/c.sqlite"
    for name in faults:
        for key, value in cases[name][0].items():
            own = content.get(key)
            content[key] = own | value if isinstance(own, dict) else value
    config = folder / "settings.yaml"
    config.write_text(yaml.safe_dump(content))
    return CliRunner().invoke(group, ["check", "--config", str(config)], standalone_mode=False)


@pytest.mark.parametrize(("end", "number"), [(end, n) for end in ENDS for n in range(7)])
def test_a_check_lists_each_fault_and_goes_on(tmp_path: Path, end: str, number: int) -> None:
    """Each fault alone, and all together."""
    cases = ENDS[end][1]
    faults = [*cases][number : number + 1] or [*cases]
    result = check(tmp_path, end, faults)
    assert result.exception is None
    assert result.return_value == 2
    messages = [line for line in result.stderr.splitlines() if line.startswith("roommood: ")]
    for name in faults:
        words = cases[name][1].format(folder=tmp_path)
        assert len([line for line in messages if words in line]) == 1, (name, messages)
    assert len(messages) == len(faults)
    is_tried = "broker" not in faults
    assert ("broker: 127.0.0.1:" in result.stdout) == is_tried


@pytest.mark.parametrize(
    ("command", "name"),
    [
        *(("check", name) for name in ("t.csv", "t.ics")),
        *(("timetable", name) for name in ("t.csv", "t.ics")),
        ("schedule", "t.ics"),
    ],
)
def test_an_event_that_is_ignored_is_named_once(
    tmp_path: Path, name: str, command: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in the log besides, which goes to the same screen."""
    row = "day,start,end,room,title\nMonday,9:15,10:00,r101,Optics\nSomeday,9:15,10:00,r101,Odd\n"
    faulty_event = "BEGIN:VEVENT\nUID:1\nSUMMARY:Someday\nEND:VEVENT\n"
    event = f"BEGIN:VCALENDAR\nVERSION:2.0\n{faulty_event}END:VCALENDAR\n"
    (tmp_path / name).write_text(row if name.endswith("csv") else event)
    group, config = collector, tmp_path / "settings.yaml"
    content: dict[str, Any] = {"state": "state", "broker": {"port": free_port()}}
    if command == "schedule":
        group = agent
        content |= {"site": "s", "room": "r", "schedule": {"timezone": "UTC", "calendar": name}}
    else:
        content |= {"database": f"sqlite:///{tmp_path}/c.sqlite", "school": {"timetable": name}}
    config.write_text(yaml.safe_dump(content))
    result = CliRunner().invoke(group, [command, "--config", str(config)], standalone_mode=False)
    assert (result.stdout + result.stderr + caplog.text).count("Someday") == 1


HEADINGS = "day,start,end,room,title\n"
NO_EVENT = "BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n"
LAST_YEAR = f"{HEADINGS}2020-03-02,9:15,10:00,r101,Optics\n"


@pytest.mark.parametrize(
    ("end", "name", "content"),
    [
        ("collector", "empty.csv", HEADINGS),
        ("collector", "empty.ics", NO_EVENT),
        ("collector", "old.csv", LAST_YEAR),
        ("agent", "empty.ics", NO_EVENT),
    ],
)
def test_a_timetable_without_a_lesson_is_not_called_well(
    tmp_path: Path, end: str, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content)
    settings: dict[str, Any] = {"state": "state", "broker": {"port": free_port()}}
    if end == "agent":
        plan = {"timezone": "UTC", "calendar": name}
        settings |= {"site": "s", "room": "r", "camera": "sim:seats=2,seed=1", "schedule": plan}
    else:
        settings |= {"database": f"sqlite:///{tmp_path}/c.sqlite", "school": {"timetable": name}}
    config = tmp_path / "settings.yaml"
    config.write_text(yaml.safe_dump(settings))
    group = ENDS[end][0]
    result = CliRunner().invoke(group, ["check", "--config", str(config)], standalone_mode=False)
    said = f"roommood: {tmp_path / name}: contains no lesson: export it again, with the lessons"
    assert (said in result.stderr) == name.startswith("empty")
    (sentence,) = (line for line in result.stdout.splitlines() if "coming week" in line)
    assert sentence.startswith(("timetable: no lesson", "schedule: no lesson"))


@pytest.mark.parametrize("end", ENDS)
def test_a_check_that_only_misses_the_broker_ends_with_1(tmp_path: Path, end: str) -> None:
    result = check(tmp_path, end, [])
    assert (result.return_value, result.stderr) == (1, "")


@pytest.mark.parametrize("source", ["/", "empty", "none.mp4", "broken.mp4", "sim:foo=1"])
def test_a_source_that_gives_no_picture_is_not_called_recorded(tmp_path: Path, source: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.mp4").write_text(BROKEN_FILE)
    settings = {"site": "s", "room": "r", "state": "state", "broker": {"port": free_port()}}
    config = tmp_path / "settings.yaml"
    config.write_text(yaml.safe_dump(settings | {"camera": source}))
    result = CliRunner().invoke(agent, ["check", "--config", str(config)], standalone_mode=False)
    assert result.return_value == 2
    assert "recorded" not in result.output
    assert "exempt" not in result.output
