"""What is known of one face: how likely each expression is, in a form that holds nothing else.

This is where pixels end. A reading is a label and some eight bytes; it lives as long as its window.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from edge.protocol.messages import UNCERTAIN

UNIT = 255
"""Probabilities are kept as whole parts of this: finer gives nothing."""

BETTER_THAN_GUESSING = 1 / 6
"""The part of the way from an equal chance for all labels to certainty that makes a face readable:
for seven labels, a probability of 0.29. What is between this and the pack's `threshold` says
little of one face, and a good deal of a room."""


class FaceReading(NamedTuple):
    """The expression of a face: the label to name it by, and the probability of each."""

    label: str
    """The likeliest one, or `uncertain`."""
    shares: bytes = b""
    """One byte for each of the model's labels, in its order; empty for a face nobody could read."""


UNREADABLE = FaceReading(UNCERTAIN)


def face_reading(
    probabilities: Sequence[float], labels: Sequence[str], threshold: float
) -> FaceReading:
    """From probabilities that sum to 1; named where the likeliest one reaches `threshold`."""
    best = max(probabilities)
    equal = 1 / len(labels)
    if best < equal + (1 - equal) * BETTER_THAN_GUESSING:
        return UNREADABLE
    label = labels[list(probabilities).index(best)] if best >= threshold else UNCERTAIN
    return FaceReading(label, bytes(min(UNIT, max(0, round(UNIT * p))) for p in probabilities))
