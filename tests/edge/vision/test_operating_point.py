from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from edge.vision.operating_point import OperatingPoint, plain


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_temperature_keeps_the_order_and_the_sum(temperature: float) -> None:
    shares = np.array([[0.7, 0.3], [0.1, 0.9]], np.float32)
    plain_shares = plain(2, temperature, threshold=0).read(shares)
    assert plain_shares.sum(axis=1) == pytest.approx([1, 1])
    assert (plain_shares.argmax(axis=1) == shares.argmax(axis=1)).all()
    assert (plain_shares.max(axis=1) > shares.max(axis=1)).all() == (temperature < 1)


def test_temperature_divides_the_logits() -> None:
    logits = np.array([[2.0, -1.0]])
    target = np.exp(logits) / np.exp(logits).sum()
    expectation = np.exp(logits / 1.7) / np.exp(logits / 1.7).sum()
    assert plain(2, 1.7, 0).read(target.astype(np.float32)) == pytest.approx(expectation, abs=1e-5)


def test_offsets_and_weights_are_added_to_the_logits() -> None:
    point = OperatingPoint(
        weights=((1, 0.5), (0, 2)), offsets=(0.3, 0), usual=(0.5, 0.5), threshold=0.5
    )
    logits = np.log(np.array([0.6, 0.4]))
    weights = np.exp([logits[0] + 0.5 * logits[1] + 0.3, 2 * logits[1]])
    read = point.read(np.array([[0.6, 0.4]], np.float32))
    assert read[0] == pytest.approx(weights / weights.sum(), abs=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"weights": ((1, 0, 0), (0, 1, 0))},
        {"offsets": (0.0,)},
        {"usual": (0.5, 0.7)},
        {"usual": (1.5, -0.5)},
        {"threshold": 1.0},
    ],
)
def test_a_point_that_does_not_fit_is_refused(wrong: dict[str, object]) -> None:
    whole: dict[str, object] = plain(2, 1, 0.5).model_dump()
    with pytest.raises(ValidationError):
        OperatingPoint.model_validate(whole | wrong)
