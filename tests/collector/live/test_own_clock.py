"""Our clock is believed when somebody vouches for it, and doubted when most devices differ."""

from __future__ import annotations

from itertools import product

import pytest

from collector.live.own_clock import APART_S, HEARD_S, LISTENS_S, OwnClock
from edge.common.clock import Trust

DAY_S = 86_400.0
NOW = 1_800_000_000.0


class Machine:
    """A clock on a wall that anybody may set, a steady one, and what the kernel says."""

    def __init__(self, kernel: Trust = "unsynced") -> None:
        self.steady, self.ahead_s, self.kernel = 1000.0, 0.0, kernel
        self.clock = OwnClock(lambda: self.true + self.ahead_s, lambda: self.steady, self._trust)

    def _trust(self) -> Trust:
        return self.kernel

    @property
    def true(self) -> float:
        return NOW + self.steady

    def hear(self, number: int, wrong_s: float = 0.0, *, is_least: bool = False) -> None:
        self.clock.hear(("school", f"r{number}"), self.true + wrong_s, is_least=is_least)


@pytest.mark.parametrize(
    ("ahead_s", "wrong", "count"),
    list(product([0.0, -400 * DAY_S, -3 * DAY_S, 2 * APART_S, 400 * DAY_S], range(4), range(4))),
)
def test_most_devices_decide(ahead_s: float, wrong: int, count: int) -> None:
    """Of `count` devices that are right and `wrong` ones that are years behind the truth."""
    machine = Machine()
    machine.ahead_s = ahead_s
    for number in range(count + wrong):
        machine.hear(number, 0.0 if number < count else -1000 * DAY_S)
    differ = (count if abs(ahead_s) > APART_S else 0) + wrong
    agree = count + wrong - differ
    doubt = machine.clock.doubt()
    assert (doubt is not None) == (differ > agree)
    assert machine.clock.is_sure() == (agree > 0 and agree >= differ)
    if doubt is not None:
        assert (doubt.against, doubt.devices) == (differ, count + wrong)
        assert doubt.ahead_s in (ahead_s, ahead_s + 1000 * DAY_S)


@pytest.mark.parametrize("kernel", ["synced", "unsynced"])
def test_without_devices_the_kernel_vouches_once_they_would_have_been_heard(kernel: Trust) -> None:
    machine = Machine(kernel)
    assert not machine.clock.is_sure()
    machine.steady += LISTENS_S + 1
    assert machine.clock.is_sure() == (kernel == "synced")


def test_what_was_right_stays_so_without_anybody_until_it_is_set() -> None:
    machine = Machine()
    machine.hear(1)
    assert machine.clock.is_sure()
    for _ in range(50):  # holidays; it drifts a little, and is corrected a little
        machine.steady += DAY_S
        machine.ahead_s += 20
        assert machine.clock.is_sure()
    machine.ahead_s += 2 * DAY_S
    assert not machine.clock.is_sure()  # and nobody is there to say who is right
    assert machine.clock.doubt() is None
    machine.ahead_s = 0
    assert not machine.clock.is_sure()  # until somebody is
    machine.hear(1)
    assert machine.clock.is_sure()


def test_once_it_is_set_right_the_doubt_is_over_at_once() -> None:
    machine = Machine("synced")
    machine.hear(1)
    machine.ahead_s = 5 * DAY_S
    assert str(machine.clock.doubt()) == "5 days ahead of the clocks of 1 of 1 devices"
    machine.steady += 100
    machine.ahead_s = -5 * APART_S
    assert str(machine.clock.doubt()) == "5 hours behind the clocks of 1 of 1 devices"
    machine.ahead_s = 0
    assert machine.clock.doubt() is None
    assert machine.clock.is_sure()


def test_a_window_that_waited_is_no_witness_but_one_of_the_future_is() -> None:
    machine = Machine("synced")
    machine.steady += LISTENS_S + 1
    machine.hear(1, -30 * DAY_S, is_least=True)
    assert machine.clock.doubt() is None
    assert not machine.clock.is_sure()  # the device may say this because it is thirty days ago
    machine.hear(1)
    machine.hear(1, -30 * DAY_S, is_least=True)  # more of what waited
    assert machine.clock.is_sure()
    machine.hear(2, 3 * DAY_S, is_least=True)
    machine.hear(3, 3 * DAY_S, is_least=True)
    assert str(machine.clock.doubt()) == "3 days behind the clocks of 2 of 3 devices"


def test_who_is_not_heard_any_more_does_not_count() -> None:
    machine = Machine()
    machine.hear(1, DAY_S)
    assert machine.clock.doubt() is not None
    machine.steady += HEARD_S + 1
    assert machine.clock.doubt() is None
    assert not machine.clock.is_sure()
    machine.hear(1, DAY_S)
    machine.clock.hear(("school", "r1"), machine.true + DAY_S, is_set=False)
    assert machine.clock.doubt() is None  # it says that nothing has set its clock


def test_clocks_that_nothing_has_set_count_where_they_agree() -> None:
    """As in a school without network time."""
    machine = Machine()
    machine.clock.hear(("school", "r1"), machine.true + 60, is_set=False)
    assert machine.clock.is_sure()
    machine.ahead_s = 5 * DAY_S
    machine.clock.hear(("school", "r1"), machine.true, is_set=False)
    assert machine.clock.doubt() is None
    assert not machine.clock.is_sure()


@pytest.mark.parametrize("honest", [1, 2])
def test_one_device_that_dates_ahead_has_no_majority_against_windows_that_come_now(
    honest: int,
) -> None:
    machine = Machine("synced")
    machine.hear(0, DAY_S, is_least=True)
    assert machine.clock.doubt() is not None  # nobody else is heard
    for number in range(1, honest + 1):
        machine.hear(number, -10.0, is_least=True)
    assert machine.clock.doubt() is None
