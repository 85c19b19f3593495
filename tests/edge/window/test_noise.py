from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from edge.protocol.counts import withhold
from edge.window.noise import NoisyDisclosure
from edge.window.tally import Tally
from tests.readings import readings

LABELS = ("happy", "neutral", "uncertain")
MINUTE = 60.0


class Clock:
    """A wall clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def noisy(path: Path, clock: Clock, epsilon: float = 4, releases: int = 3) -> NoisyDisclosure:
    return NoisyDisclosure(
        path, LABELS, epsilon=epsilon, lesson_s=45 * MINUTE, releases=releases, now=clock
    )


def window(happy: int = 12, neutral: int = 12) -> Tally:
    tally = Tally(LABELS)
    tally.add(readings(["happy"] * happy + ["neutral"] * neutral))
    return tally


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "budget.json"


def test_a_release_every_quarter_of_an_hour_and_nothing_new_between(path: Path) -> None:
    clock = Clock()
    control = noisy(path, clock, epsilon=0.2)  # so much noise that no two releases are alike
    disclosures = []
    for _ in range(4 * 46):
        disclosures.append(control.decide(window(2000, 3000)))
        clock.now += 15
    assert disclosures[:60] == [withhold("gathering")] * 60
    assert len({str(one) for one in disclosures[60:]}) == 3
    assert disclosures[60:120] == [disclosures[60]] * 60


def test_the_noise_is_as_large_as_its_price(path: Path) -> None:
    clock = Clock()
    errors = []
    for run in range(400):
        control = noisy(path.with_name(f"{run}.json"), clock, epsilon=4)
        control.decide(window(200, 300))
        clock.now += 15 * MINUTE
        counts = control.decide(window(200, 300)).counts
        assert counts is not None
        errors.append(abs(counts["happy"] - 200))
    # Laplace noise of scale b is off by b on average; b = sensitivity * releases / epsilon.
    assert statistics.mean(errors) == pytest.approx(2 * 3 / 4, rel=0.25)


def test_a_budget_that_is_spent_tells_nothing_not_after_a_restart_either(path: Path) -> None:
    clock = Clock()
    control = noisy(path, clock)
    disclosures = []
    for _ in range(5):  # a clock that jumps: more releases than the lesson has room for
        control.decide(window())
        clock.now += 15 * MINUTE
        disclosures.append(control.decide(window()).withheld)
        clock.now -= 14 * MINUTE
    assert disclosures == [None, None, None, "budget_spent", "budget_spent"]
    again = noisy(path, clock)
    again.decide(window())
    clock.now += 15 * MINUTE
    assert again.decide(window()).withheld == "budget_spent"
    clock.now += 45 * MINUTE
    assert again.decide(window()).counts is not None


def test_a_clock_that_goes_back_frees_nothing(path: Path) -> None:
    clock = Clock()
    control = noisy(path, clock, releases=1)
    control.decide(window())
    clock.now += 45 * MINUTE
    assert control.decide(window()).counts is not None
    clock.now = 0.0  # 1970
    control.decide(window())
    clock.now += 45 * MINUTE
    assert control.decide(window()).withheld == "budget_spent"


@pytest.mark.parametrize("content", ["", "{}x", '[["a", 1]]', "[1]"])
def test_a_budget_that_cannot_be_read_counts_as_spent(path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    clock = Clock()
    control = noisy(path, clock)
    control.decide(window())
    clock.now += 15 * MINUTE
    assert control.decide(window()).withheld == "budget_spent"


def test_a_disk_that_takes_nothing_tells_nothing(path: Path) -> None:
    path.parent.write_text("not a folder")
    clock = Clock()
    control = noisy(path, clock)
    control.decide(window())
    clock.now += 15 * MINUTE
    assert control.decide(window()).withheld == "budget_spent"


def test_few_faces_are_judged_after_the_noise(path: Path) -> None:
    clock = Clock()
    reasons = set()
    for run in range(60):
        control = noisy(path.with_name(f"{run}.json"), clock)
        control.decide(window(3, 2))
        clock.now += 15 * MINUTE
        reasons.add(control.decide(window(3, 2)).withheld)
    assert reasons == {None, "few_faces"}
