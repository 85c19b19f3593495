"""The machine that figures were measured on, in words; and settings that suit it."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

import cv2

from deploy.bench.measure.material import SimulatedSource
from deploy.bench.measure.pipelines import AgentPipeline, BenchSettings
from edge.vision.interpreter import runtime

TUNED_FRAMES = 40
SHARE = 0.35
"""Of one core that the agent may take: the rest of the machine has other things to do."""

FASTEST, SLOWEST = 5.0, 0.5
"""Frames per second; more tells no more of a window, fewer no longer bear a missed face."""

READ_SHARE = 0.3
"""Of the time for a frame that may go to reading faces again."""


def describe() -> dict[str, Any]:
    """What matters for how long things take."""
    return {
        "machine": _model(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} on {platform.machine()}",
        "python": platform.python_version(),
        "opencv": cv2.__version__,
        "runtime": runtime()[0],
    }


def _model() -> str:
    """A board's own name, else its processor's."""
    board = Path("/proc/device-tree/model")
    if board.exists():
        return board.read_text(encoding="utf-8").strip("\0\n ")
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def tune(settings: BenchSettings) -> dict[str, Any]:
    """`faces` and `frames_per_second` for this machine, from what a full room costs on it."""
    cores = os.cpu_count() or 1
    cv2.setNumThreads(1)
    ours = AgentPipeline(settings)
    ours.begin(True)
    total = 0.0
    for picture in SimulatedSource().shots(settings.per_second, TUNED_FRAMES):
        start = time.process_time()
        ours.look(picture.grey.copy())
        total += time.process_time() - start
    per_frame = total / TUNED_FRAMES
    rate = min(FASTEST, max(SLOWEST, SHARE / per_frame))
    rate = round(rate * 2) / 2
    return {
        "frames_per_second": rate,
        "faces": {
            "detector": settings.faces.detector,
            # A search takes longest; spread over cores, it delays the window less.
            "threads": 1 if cores <= 2 else min(3, cores - 1),
            "read_ms": round(1000 * SHARE * READ_SHARE / rate),
        },
    }
