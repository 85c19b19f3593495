"""A restart makes no guess at a PIN free, whatever moment the power is cut at."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from edge.permission.pin import FILE, LOCKED_S, LONGEST_S, SHORTEST, TRIES, Pin, hash_pin
from tests.full_disk import no_room
from tests.security.power_cut import until

pytestmark = pytest.mark.once

RIGHT, WRONG = "246810", "000000"


class Device:
    """One that is switched off and on; its clock begins anew each time."""

    def __init__(self, folder: Path) -> None:
        self.path, self._hash = folder / FILE, hash_pin(RIGHT)
        self.now = 0.0
        self.restart()

    def restart(self) -> None:
        self.now = 0.0
        self.pin = Pin(self._hash, lambda: self.now, path=self.path)


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path / "state")


def test_a_restart_ends_no_wait_and_gives_no_try_back(device: Device) -> None:
    """Off and on after each guess: it takes as long as without."""
    seconds, guesses = 0.0, 0
    for round_number in range(9):
        for _ in range(TRIES):
            assert not device.pin.is_locked
            assert not device.pin.opens(WRONG)
            guesses += 1
            device.restart()
        assert device.pin.is_locked
        assert not device.pin.opens(RIGHT)
        wait_s = min(LONGEST_S, LOCKED_S * 2**round_number)
        device.now += wait_s - 1
        assert device.pin.is_locked
        device.now += 1
        seconds += wait_s
    assert 10**SHORTEST / 2 / (guesses / seconds) > 86_400 * 100
    assert device.pin.opens(RIGHT)
    device.restart()
    assert [device.pin.opens(WRONG) for _ in range(TRIES - 1)] == [False] * (TRIES - 1)
    assert not device.pin.is_locked
    assert device.pin.opens(RIGHT)


def test_the_wait_begins_anew_with_the_device(device: Device) -> None:
    for _ in range(TRIES):
        device.pin.opens(WRONG)
    for _ in range(5):
        device.now += LOCKED_S - 1
        device.restart()
        assert device.pin.is_locked
    device.now += LOCKED_S
    assert device.pin.opens(RIGHT)


def test_a_power_cut_at_any_moment_of_a_guess_makes_none_free(device: Device) -> None:
    for _ in range(TRIES - 1):
        device.pin.opens(WRONG)
    before = device.path.read_text()
    for count in itertools.count():
        device.path.write_text(before)
        device.restart()
        is_done = until(count, lambda: device.pin.opens(WRONG))
        device.restart()
        # Where it was looked at, it was written down.
        assert device.pin.is_locked or (not is_done and device.path.read_text() == before)
        if is_done:
            assert count > 3
            return


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "5", "\0" * 128, '{"pin": 5}', '{"wrong": 0, "rounds": 0, "waits": false}']
    + [
        f'{{"pin": "x", "wrong": {wrong}, "rounds": {rounds}, "waits": {waits}}}'
        for wrong, rounds, waits in ((-9, 0, "false"), (0, -1, "true"), (0, "1e3", "true"))
    ],
)
def test_a_damaged_file_is_the_longest_wait(device: Device, content: str) -> None:
    device.path.write_text(content)
    device.restart()
    assert not device.pin.opens(RIGHT)
    device.now += LONGEST_S - 1
    assert device.pin.is_locked
    device.now += 1
    assert device.pin.opens(RIGHT)


def test_a_new_pin_begins_anew(device: Device) -> None:
    for _ in range(TRIES):
        device.pin.opens(WRONG)
    assert Pin(hash_pin("135791"), path=device.path).opens("135791")


def test_on_a_disk_that_takes_nothing_no_pin_opens(
    device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    with no_room():
        assert not device.pin.opens(RIGHT)
    assert "check the disk" in caplog.text
    assert device.pin.opens(RIGHT)
