"""How a model's answers are read: an affine map of its logits, and what it was fitted on.

A closed-mouth smile that a photographer asked for is happy, and neutral to most of FER+'s voters:
two truths, and a model learns one of them. The operating point for rooms moves it towards the
other without another network (matrix scaling, Guo et al., arXiv 1706.04599). It is fitted by
`python -m models.measure.operating_point`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from edge.common.errors import SettingError
from edge.common.settings import Section

PointName = Literal["room", "votes"]

FLOOR = np.float32(1 / 512)
"""An int8 softmax rounds small probabilities to nothing."""


class OperatingPoint(Section):
    """Labels by labels; `usual` are their shares where it was fitted."""

    weights: tuple[tuple[float, ...], ...] = Field(min_length=2, max_length=20)
    """A row for each label: what each of the model's logits adds to it; temperature included."""
    offsets: tuple[float, ...]
    """What is added to each label after that."""
    usual: tuple[float, ...]
    """The shares of the labels among the faces that it was fitted on."""
    threshold: float = Field(ge=0, lt=1)
    """Below this probability a single face is not named."""
    spread: float = Field(1, ge=1, le=100)
    """How much wider a room's shares scatter than those of as many faces read without error."""

    @model_validator(mode="after")
    def _square(self) -> OperatingPoint:
        size = len(self.weights)
        if {size} != {len(row) for row in (*self.weights, self.offsets, self.usual)}:
            raise SettingError(
                "lists of different length", f"weights, offsets and usual need {size} numbers each"
            )
        if min(self.usual) < 0 or abs(sum(self.usual) - 1) > 0.01:
            raise SettingError("usual does not sum to 1", "write shares that sum to 1")
        return self

    def read(self, answers: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, labels) probabilities from those that the model gives."""
        logits = np.log(np.maximum(answers, FLOOR)) @ np.array(self.weights, np.float32).T
        logits += np.array(self.offsets, np.float32)
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: NDArray[np.float32] = exponents / exponents.sum(axis=1, keepdims=True)
        return shares


def plain(
    size: int, temperature: float, threshold: float, usual: tuple[float, ...] | None = None
) -> OperatingPoint:
    """The point at which a model was taught: its logits by the temperature, and nothing else."""
    weights = np.eye(size) / temperature
    return OperatingPoint(
        weights=tuple(map(tuple, weights.tolist())),
        offsets=(0.0,) * size,
        usual=usual or (1 / size,) * size,
        threshold=threshold,
    )
