from __future__ import annotations

import time

import pytest
from gpiozero.pins.mock import MockFactory

from edge.common.errors import UserError
from edge.permission.gpio import Panel
from tests.free import wait


def test_the_light_and_the_button(pins: MockFactory) -> None:
    presses: list[float] = []
    panel = Panel(17, 27, lambda: presses.append(time.monotonic()))
    assert pins.pin(27).state == 0
    panel.show(True)
    assert pins.pin(27).state == 1
    pins.pin(17).drive_low()
    wait(lambda: len(presses) == 1, 2)
    panel.show(False)
    assert pins.pin(27).state == 0
    panel.show(True)
    panel.close()
    assert not panel_is_lit(pins)


def panel_is_lit(pins: MockFactory) -> bool:
    return bool(pins.pin(27).function == "output" and pins.pin(27).state)


def test_a_pin_that_is_not_there_is_refused(pins: MockFactory) -> None:
    with pytest.raises(UserError, match="button None, led 53"):
        Panel(None, 53, lambda: None)
