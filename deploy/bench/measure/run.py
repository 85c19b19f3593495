"""Both pipelines over the same material, each in a process of its own, and what follows from it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

from deploy.bench.measure.pipelines import BenchSettings, Material, Which, measure

Result = TypeVar("Result")

DETECTOR = "detector_cpu_ms_per_frame"


def compare(name: str, material: Sequence[Material], settings: BenchSettings) -> dict[str, Any]:
    """The figures of docs/contract.md over the material, which is called `name`."""
    both: tuple[Which, Which] = ("roommood", "reference")
    ours, reference = (in_a_process(measure, which, material, settings) for which in both)
    return {
        "set": name,
        "detector": settings.faces.detector,
        "model": settings.model,
        "roommood": ours,
        "reference": reference,
        "ratio": _ratio(reference, ours, "cpu_ms_per_frame"),
        "detector_ratio": _ratio(reference, ours, DETECTOR),
        "ratio_by_film": {
            mine["film"]: _ratio(theirs, mine, "cpu_ms_per_frame")
            for mine, theirs in zip(ours["films"], reference["films"], strict=True)
        },
        "count_error": ours["count_error"],
    }


def in_a_process(measure: Callable[..., Result], *about: Any) -> Result:
    """What a measurement gives in a new process, so that nobody else's memory counts."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(measure, *about).result()


def _ratio(reference: dict[str, Any], ours: dict[str, Any], key: str) -> float | None:
    return reference[key] / ours[key] if ours[key] else None
