"""The bench that floods a collector, on a small scale."""

from __future__ import annotations

import pytest

from deploy.bench.load.flood import LIMITS, measure, misses
from edge.common.errors import UserError

pytestmark = pytest.mark.once


def test_a_small_flood_is_not_noticed() -> None:
    figures = measure(60, 4, least_s=1)
    assert sum(figures["sign_ins"].values()) == 4
    assert figures["asked"] > 2
    assert figures["refused"] == {}
    assert 20 < figures["memory_mb"] < LIMITS["memory_mb"]
    assert figures["log_mb"] < LIMITS["log_mb"]


def test_a_figure_that_is_not_below_what_is_asked_is_named() -> None:
    good = dict.fromkeys(LIMITS, 0.0)
    assert misses(good) == []
    for name, most in LIMITS.items():
        assert misses(good | {name: most}) == [name]


def test_more_than_this_process_may_have_is_said() -> None:
    with pytest.raises(UserError, match="files may be open here"):
        measure(10**9)
