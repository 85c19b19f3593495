"""The attacks of docs/privacy-audit.md on fewer lessons: see `python -m tests.attacks`."""

from __future__ import annotations

import pytest

from edge.window.disclosure import SteadyDisclosure
from tests.attacks.attacker import attack
from tests.attacks.controls import Nothing, error, minute_error, publish
from tests.attacks.lessons import Window, lesson

pytestmark = [pytest.mark.long, pytest.mark.once]


@pytest.fixture(scope="module")
def still() -> list[list[Window]]:
    """A class that changes so little that whoever comes in stands out."""
    return [lesson(90_000 + seed, 40) for seed in range(50)]


@pytest.mark.parametrize("event", ["arriving", "leaving"])
def test_who_comes_or_goes_is_exposed_without_control_and_not_with_it(
    still: list[list[Window]], event: str
) -> None:
    open_to_all = attack(event, still, publish(Nothing, still))
    cells = attack(event, still, publish(lambda: SteadyDisclosure(min_change=1), still))
    default = attack(event, still, publish(SteadyDisclosure, still))
    assert (
        min(open_to_all.points, cells.points) > 15
    )  # the attacker can do it, where it can be done
    assert default.points < min(open_to_all.points, cells.points) / 3
    assert event == "leaving" or default.points <= 5


def test_the_price_is_small(still: list[list[Window]]) -> None:
    assert error(still, publish(Nothing, still)) < 0.02
    assert error(still, publish(SteadyDisclosure, still)) < 0.15


@pytest.fixture(scope="module", params=[8, 12])
def small(request: pytest.FixtureRequest) -> list[list[Window]]:
    """A small class that changes little: the hardest to tell anything true of."""
    return [lesson(90_000 + seed, 40, request.param) for seed in range(40)]


def test_a_small_class_hears_something_true_and_gives_nobody_away(
    small: list[list[Window]],
) -> None:
    disclosures = publish(SteadyDisclosure, small)
    assert minute_error(small, disclosures) < 0.25
    for event in ("arriving", "leaving", "linking", "majority"):
        exposure = attack(event, small, publish(Nothing, small)).points
        # Forty lessons leave chance five points; `python -m tests.attacks --seats 8` has more.
        assert attack(event, small, disclosures).points <= max(10, exposure / 3)
