from __future__ import annotations

import pytest

from edge.permission.pin import LOCKED_S, TRIES, Pin, hash_pin


def test_a_pin_opens_and_another_does_not() -> None:
    pin_hash = hash_pin("2468")
    assert "2468" not in pin_hash
    assert Pin(pin_hash).opens("2468")
    assert not Pin(pin_hash).opens("2469")
    assert hash_pin("2468") != pin_hash


def test_after_five_wrong_ones_the_right_one_waits_too() -> None:
    now = [0.0]
    pin = Pin(hash_pin("2468"), lambda: now[0])
    assert not any(pin.opens("0000") for _ in range(TRIES))
    assert pin.is_locked
    assert not pin.opens("2468")
    now[0] += LOCKED_S
    assert pin.opens("2468")


@pytest.mark.parametrize("text", ["", "2468 " * 100, "\0", "２４６８"])
def test_odd_input_is_just_wrong(text: str) -> None:
    assert not Pin(hash_pin("2468")).opens(text)
