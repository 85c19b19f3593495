from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

import pytest

from edge.common.clock import trust
from edge.permission.switch import Switch
from edge.protocol.messages import Command

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "switch.json"


def tell(switch: Switch, command: Literal["pause", "resume", "stop_today"]) -> Switch:
    switch.obey(Command(command=command))
    return switch


def test_pause_and_resume(file: Path) -> None:
    switch = Switch(file)
    assert not switch.pause
    assert tell(switch, "pause").pause
    assert not tell(switch, "resume").pause


def test_stop_for_today_ends_with_the_day(file: Path) -> None:
    today = [MONDAY]
    switch = tell(Switch(file, lambda: today[0]), "stop_today")
    assert switch.pause
    today[0] = TUESDAY
    assert not switch.pause


def test_a_pause_outlasts_the_day(file: Path) -> None:
    today = [MONDAY]
    switch = tell(Switch(file, lambda: today[0]), "pause")
    today[0] = TUESDAY
    assert switch.pause


def test_a_pause_survives_a_restart(file: Path) -> None:
    tell(Switch(file), "pause")
    assert Switch(file).pause
    tell(Switch(file), "resume")
    assert not Switch(file).pause
    tell(Switch(file, lambda: MONDAY), "stop_today")
    assert Switch(file, lambda: MONDAY).pause
    assert not Switch(file, lambda: TUESDAY).pause


def test_a_clock_at_1970_ends_no_pause(file: Path) -> None:
    tell(Switch(file, lambda: MONDAY), "stop_today")
    assert Switch(file, lambda: date(1970, 1, 1)).pause


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"paused": 0, "day": null}', '{"paused": true, "day": "x"}']
)
def test_what_cannot_be_known_is_paused(file: Path, content: str) -> None:
    file.parent.mkdir()
    file.write_text(content)
    switch = Switch(file)
    assert switch.pause
    assert not tell(switch, "resume").pause
    assert not Switch(file).pause


def test_a_disk_that_takes_nothing_still_pauses(file: Path) -> None:
    file.parent.write_text("not a folder")
    assert tell(Switch(file), "pause").pause


def test_the_kernel_says_whether_its_clock_is_disciplined() -> None:
    assert trust() in ("synced", "unsynced")
