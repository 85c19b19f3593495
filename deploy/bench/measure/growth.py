"""How the cost grows: with the number of faces, and with the size of the picture."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from typing import Any

import cv2

from deploy.bench.measure.material import SimulatedSource, scale
from deploy.bench.measure.pipelines import AgentPipeline, BenchSettings

SEATS = (1, 5, 10, 20, 40)
HEIGHTS = (480, 720, 1080)
FRAMES = 120
"""A minute of a room, in which everything the agent does now and then is."""


def cost(seats: int, height: int, settings: BenchSettings) -> dict[str, Any]:
    """Of one room on one picture size; in a process of its own, for its memory."""
    cv2.setNumThreads(1)
    ours = AgentPipeline(settings)
    ours.begin(True)
    cpu, faces = 0.0, 0
    for number, picture in enumerate(
        SimulatedSource(seats).shots(settings.per_second, FRAMES), start=1
    ):
        frame = scale(picture.grey, height)
        start = time.process_time()
        faces += len(ours.look(frame))
        cpu += time.process_time() - start
        if number % settings.per_window == 0:
            ours.forget()
    return {
        "seats": seats,
        "height": height,
        "faces": faces / FRAMES,
        "cpu_ms_per_frame": 1000 * cpu / FRAMES,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def rooms() -> Sequence[tuple[int, int]]:
    """Every number of seats at 720 lines, and every number of lines with 20 seats."""
    return [
        *((seats, 720) for seats in SEATS),
        *((20, height) for height in HEIGHTS if height != 720),
    ]
