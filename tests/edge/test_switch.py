from __future__ import annotations

from datetime import date

from edge.clock import trust
from edge.mood import Command
from edge.switch import Switch


def test_pause_and_resume() -> None:
    switch = Switch()
    assert not switch.paused
    switch.obey(Command(command="pause"))
    assert switch.paused
    switch.obey(Command(command="resume"))
    assert not switch.paused


def test_stop_for_today_ends_with_the_day() -> None:
    today = [date(2026, 3, 2)]
    switch = Switch(lambda: today[0])
    switch.obey(Command(command="stop_today"))
    assert switch.paused
    today[0] = date(2026, 3, 3)
    assert not switch.paused


def test_a_pause_outlasts_the_day() -> None:
    today = [date(2026, 3, 2)]
    switch = Switch(lambda: today[0])
    switch.obey(Command(command="pause"))
    today[0] = date(2026, 3, 3)
    assert switch.paused


def test_the_kernel_says_whether_its_clock_is_disciplined() -> None:
    assert trust() in ("synced", "unsynced")
