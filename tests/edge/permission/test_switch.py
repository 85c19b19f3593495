from __future__ import annotations

import errno
import json
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.common import atomic_file
from edge.common.clock import trust
from edge.permission.switch import Switch
from edge.protocol.messages import Command

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "switch.json"


def command(switch: Switch, command: Literal["pause", "resume", "stop_today"]) -> Switch:
    switch.obey(Command(command=command))
    return switch


def test_pause_and_resume(file: Path) -> None:
    switch = Switch(file)
    assert not switch.pause
    assert command(switch, "pause").pause
    assert not command(switch, "resume").pause


def test_stop_for_today_ends_with_the_day(file: Path) -> None:
    today = [MONDAY]
    switch = command(Switch(file, lambda: today[0]), "stop_today")
    assert switch.pause
    today[0] = TUESDAY
    assert not switch.pause


def test_a_pause_outlasts_the_day(file: Path) -> None:
    today = [MONDAY]
    switch = command(Switch(file, lambda: today[0]), "pause")
    today[0] = TUESDAY
    assert switch.pause


def test_a_pause_survives_a_restart(file: Path) -> None:
    command(Switch(file), "pause")
    assert Switch(file).pause
    command(Switch(file), "resume")
    assert not Switch(file).pause
    command(Switch(file, lambda: MONDAY), "stop_today")
    assert Switch(file, lambda: MONDAY).pause
    assert not Switch(file, lambda: TUESDAY).pause


def test_a_clock_at_1970_ends_no_pause(file: Path) -> None:
    command(Switch(file, lambda: MONDAY), "stop_today")
    assert Switch(file, lambda: date(1970, 1, 1)).pause


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"paused": 0, "day": null}', '{"paused": true, "day": "x"}']
)
def test_what_cannot_be_known_is_paused(file: Path, content: str) -> None:
    file.parent.mkdir()
    file.write_text(content)
    switch = Switch(file)
    assert switch.pause == "unreadable"
    assert command(switch, "resume").pause, "from afar nobody knows either"
    assert Switch(file).pause
    switch.obey(Command(command="resume"), by="kiosk")
    assert not switch.pause
    assert not Switch(file).pause


def test_what_was_written_when_there_was_one_pause_is_understood(file: Path) -> None:
    file.parent.mkdir()
    for by, after in (("command", None), ("kiosk", "kiosk"), ("unreadable", "unreadable")):
        file.write_text(json.dumps({"paused_by": by, "day": None}))
        assert Switch(file).pause == by
        assert command(Switch(file), "resume").pause == after


LOCAL: tuple[Callable[[Switch], None], ...] = (
    lambda switch: switch.toggle("button"),
    lambda switch: switch.obey(Command(command="pause"), by="kiosk"),
    lambda switch: switch.obey(Command(command="stop_today"), by="kiosk"),
)


@pytest.mark.parametrize("make", LOCAL)
@settings(max_examples=25)  # each is a few writes to the disk
@given(
    orders=st.lists(
        st.sampled_from(["pause", "resume", "stop_today", "restart", "tomorrow"]), max_size=8
    )
)
def test_from_afar_nobody_ends_or_renames_a_pause_of_the_room(
    make: Callable[[Switch], None], orders: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, today = Path(folder) / "switch.json", [MONDAY]
        switch = Switch(path, lambda: today[0])
        make(switch)
        by, for_today = switch.pause, make is LOCAL[2]
        for order in orders:
            if order == "restart":
                switch = Switch(path, lambda: today[0])
            elif order == "tomorrow":
                today[0] = TUESDAY
            else:
                switch.obey(Command.model_validate({"command": order}))
            if not (for_today and today[0] == TUESDAY):
                assert switch.pause == by
        switch.obey(Command(command="resume"), by="kiosk")
        assert switch.pause is None, "the room ends what was asked from afar too"
        assert Switch(path, lambda: today[0]).pause is None


def test_a_pause_from_afar_lasts_beneath_one_of_the_room_for_today(file: Path) -> None:
    today = [MONDAY]
    switch = command(Switch(file, lambda: today[0]), "pause")
    switch.obey(Command(command="stop_today"), by="kiosk")
    by = [switch.pause]
    today[0] = TUESDAY
    by.append(switch.pause)
    assert by == ["kiosk", "command"]
    assert command(switch, "resume").pause is None


def broken_disk(monkeypatch: pytest.MonkeyPatch, *, full: bool) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC if full else errno.EROFS, "takes nothing")

    monkeypatch.setattr(atomic_file, "write", refuse)
    if not full:
        monkeypatch.setattr(atomic_file, "overwrite", refuse)


@pytest.mark.parametrize("mend_first", [False, True])
@pytest.mark.parametrize("full", [False, True])
def test_a_pause_that_the_disk_does_not_take_outlasts_a_restart(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: bool, mend_first: bool
) -> None:
    note = tmp_path / "memory.json"
    switch = Switch(file, note=note)
    with monkeypatch.context() as patch:
        broken_disk(patch, full=full)
        switch.toggle("button")
        assert switch.pause == "button"
        assert bool(switch.unwritten) is not full, "a full disk has room for what is there"
        if not mend_first:
            assert Switch(file, note=note).pause == "button"
    again = Switch(file, note=note)
    assert again.pause == "button"
    assert not note.exists(), "it is on the disk now"
    assert Switch(file).pause == "button"


def test_a_disk_that_does_not_take_that_the_camera_may_open_keeps_it_closed(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Switch(file).pause is None
    monkeypatch.setattr("edge.permission.switch.AGAIN_S", 0)
    with monkeypatch.context() as patch:
        broken_disk(patch, full=False)
        switch = Switch(file)
        assert switch.pause == "unreadable"
        assert "takes nothing" in switch.unwritten
        assert command(switch, "resume").pause == "unreadable"
    assert switch.pause is None, "tried again: nobody had paused"
    assert not switch.unwritten


def test_a_pause_is_written_as_soon_as_the_disk_takes_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.permission.switch.AGAIN_S", 0)
    switch = Switch(file)
    with monkeypatch.context() as patch:
        broken_disk(patch, full=False)
        switch.toggle("button")
        assert switch.pause == "button"
    assert switch.pause == "button"
    assert not switch.unwritten
    assert Switch(file).pause == "button"


def test_a_disk_that_takes_nothing_still_pauses(file: Path) -> None:
    file.parent.write_text("not a folder")
    assert command(Switch(file), "pause").pause


def test_the_kernel_says_whether_its_clock_is_disciplined() -> None:
    assert trust() in ("synced", "unsynced")
