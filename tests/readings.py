"""Faces whose expression is known for certain, as tests name them."""

from __future__ import annotations

from collections.abc import Iterable

from edge.window.reading import FaceReading


def readings(labels: Iterable[str]) -> list[FaceReading]:
    """Readings without probabilities: each face counts as its label."""
    return [FaceReading(label) for label in labels]
