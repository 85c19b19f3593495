"""What protects the people in a room, against whoever signs an update or sends a command."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel

from edge.common.errors import UserError
from edge.config import AgentSettings
from edge.device.enrol import ABOUT, SITE, EnrolmentRecord
from edge.device.managed_settings import agent_settings
from edge.device.protection import FROM_AFAR, anything, never, rule, value
from edge.device.slots import Updates
from edge.factories import fittings
from edge.protocol.bundle import SETTINGS
from edge.protocol.messages import Health
from tests.edge.run.test_health import WELL

PIN = f"scrypt:{'0' * 32}:{'0' * 64}"
LESSON = {"days": ["mon"], "start": "08:00", "end": "09:00"}

OWN: dict[str, Any] = {
    "mode": "headcount",
    "faces": {"blank": [[0.0, 0.0, 0.5, 0.5]]},
    "disclosure": {
        "min_faces": 8,
        "min_cell": 4,
        "min_change": 7,
        "noise": {"epsilon": 2, "lesson_minutes": 60, "releases": 2},
    },
    "gpio": {"button": 17, "led": 27},
    "kiosk": {"port": 8643},
    "pin": PIN,
    "schedule": {
        "timezone": "Europe/Berlin",
        "lessons": [LESSON],
        "calendar": "lessons.ics",
        "calendar_rooms": ["Optics lab"],
        "holidays": ["2026-12-24/2027-01-06"],
        "holidays_calendar": "holidays.ics",
    },
}
"""A machine's own file in which everything that protects people is set."""

WEAKER: dict[str, list[Any]] = {
    "mode": ["emotion"],
    "faces.blank": [[], [[0.0, 0.0, 0.5, 0.4]]],
    "disclosure.min_faces": [5, 7],
    "disclosure.min_cell": [3],
    "disclosure.min_change": [5, 6],
    "disclosure.noise.epsilon": [2.5, 4, 20],
    "disclosure.noise.lesson_minutes": [1, 45, 59],
    "disclosure.noise.releases": [3, 9, 100],
    "gpio.button": [18],
    "gpio.led": [18],
    "kiosk.port": [8644],
    "pin": [f"scrypt:{'1' * 32}:{'0' * 64}"],
    "schedule.timezone": ["Asia/Tokyo"],
    "schedule.lessons": [[], [{**LESSON, "end": "24:00"}], [LESSON, {**LESSON, "days": ["sun"]}]],
    "schedule.calendar": ["others.ics"],
    "schedule.calendar_rooms": [[], ["Optics lab", "Main hall"]],
    "schedule.holidays": [[], ["2026-12-24"]],
    "schedule.holidays_calendar": ["others.ics"],
    "schedule.tentative": [True],
    "schedule.harmless": [["*"], ["Guest lecture"]],
    "schedule.needs_synced_clock": [False],
}
STRICTER: dict[str, Any] = {
    "faces.blank": [[0.0, 0.0, 0.5, 0.5], [0.5, 0.0, 0.5, 0.5]],
    "disclosure.min_faces": 9,
    "disclosure.min_cell": 5,
    "disclosure.min_change": 8,
    "disclosure.noise.epsilon": 1,
    "disclosure.noise.lesson_minutes": 90,
    "disclosure.noise.releases": 1,
    "schedule.holidays": ["2026-12-24/2027-01-06", "2026-10-03"],
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """An enrolled device's own file; its enrolment is this machine's."""
    state = tmp_path / "state"
    state.mkdir()
    record = EnrolmentRecord(
        collector="https://school.example", site="school", room="r101", hardware=""
    )
    (state / ABOUT).write_text(record.model_dump_json())
    (state / SITE).write_text(yaml.safe_dump({"site": "school", "room": "r101", "state": "."}))
    return write(tmp_path / "agent.yaml", {**OWN, "enrolled": "state"})


def write(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(content))
    return path


def nest(name: str, content: Any) -> dict[str, Any]:
    for key in reversed(name.split(".")):
        content = {key: content}
    return dict(content)


def update(config: Path, change: dict[str, Any]) -> AgentSettings:
    folder = Updates(config.with_name("state")).place(1)
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / SETTINGS, change)
    return agent_settings(config, 1)


def settings_of(kind: type[BaseModel], before: str = "") -> Iterator[str]:
    """Every setting by its dotted name, through optional sections too."""
    for name, field in kind.model_fields.items():
        options = [field.annotation, *get_args(field.annotation)]
        if get_origin(field.annotation) is tuple:
            options = []
        inner = [one for one in options if isinstance(one, type) and issubclass(one, BaseModel)]
        if inner:
            yield from settings_of(inner[0], f"{before}{name}.")
        else:
            yield f"{before}{name}"


EVERY = tuple(settings_of(AgentSettings))
PROTECTED_SETTINGS = [name for name in EVERY if rule(name) not in (anything, never)]
TAKEN_AWAY = [
    ".".join(name.split(".")[: depth + 1])
    for name in PROTECTED_SETTINGS
    if not name.startswith("faces")
    for depth in range(name.count(".") + 1)
]
"""Each that protects people, and each section that holds one."""


def test_every_setting_has_a_rule_and_every_rule_a_setting() -> None:
    assert [rule(name) for name in EVERY], "or it raises KeyError, naming the setting"
    for name in FROM_AFAR:
        assert any(one == name or one.startswith(f"{name}.") for one in EVERY), name
    assert sorted(PROTECTED_SETTINGS) == sorted(WEAKER), "each has its row in this test"


@pytest.mark.parametrize("name", sorted(set(TAKEN_AWAY)))
def test_nothing_that_protects_people_can_be_taken_away_from_afar(config: Path, name: str) -> None:
    before = value(agent_settings(config), name)
    with contextlib.suppress(UserError):
        assert value(update(config, nest(name, None)), name) == before, "nothing was there"


@pytest.mark.parametrize(
    ("name", "weaker"), [(name, each) for name, values in WEAKER.items() for each in values]
)
def test_nothing_that_protects_people_can_be_weakened_from_afar(
    config: Path, name: str, weaker: Any
) -> None:
    with pytest.raises(UserError, match=name.split(".", maxsplit=1)[0]):
        update(config, nest(name, weaker))


@pytest.mark.parametrize("name", sorted(STRICTER))
def test_an_update_may_be_stricter(config: Path, name: str) -> None:
    before = value(agent_settings(config), name)
    assert value(update(config, nest(name, STRICTER[name])), name) != before


@pytest.mark.parametrize("other", ["lessons", "calendar"])
def test_lessons_in_a_second_place_open_nothing_more(config: Path, other: str) -> None:
    times = {name: part for name, part in OWN["schedule"].items() if name != other}
    write(config, {"enrolled": "state", "schedule": times})
    with pytest.raises(UserError, match="schedule"):
        update(config, {"schedule": {other: OWN["schedule"][other]}})


@pytest.mark.parametrize("name", ["mode", "gpio", "kiosk", "pin", "schedule", "disclosure"])
def test_an_update_may_add_what_is_not_there(config: Path, name: str) -> None:
    write(config, {"enrolled": "state"})
    assert value(update(config, {name: OWN[name]}), name) != value(agent_settings(config), name)


@pytest.mark.parametrize("name", sorted(name for name in EVERY if rule(name) is never))
def test_no_update_says_who_a_device_is(config: Path, name: str) -> None:
    with pytest.raises(UserError):
        update(config, nest(name, "other"))


@pytest.mark.parametrize(
    ("own", "parts"),
    [
        ({}, ()),
        ({"gpio": {}}, ()),
        ({"gpio": {"button": 0}}, ("button",)),
        ({"gpio": {"led": 27}, "kiosk": {}}, ("light", "screen")),
        (OWN, ("button", "light", "screen")),
    ],
)
def test_what_is_fitted_is_what_the_settings_have(
    config: Path, own: dict[str, Any], parts: tuple[str, ...]
) -> None:
    write(config, {**own, "enrolled": "state"})
    assert fittings(agent_settings(config)) == parts
    status = {**WELL, "fitted": parts}
    assert Health.model_validate(status).fitted == parts
