"""An agent whose camera does not wait: `python -m tests.system.soak SETTINGS`."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from edge.agent import Agent
from edge.camera.base import Grey
from edge.camera.simulation import SimulatedCamera
from edge.common.command import stop_on_signals
from edge.common.settings import load
from edge.config import AgentSettings


class Fast:
    """Moments of the simulated classroom, at half its size, one after the other."""

    def __init__(self) -> None:
        lesson = SimulatedCamera(12, 1)
        moments = (lesson.grey(20 + number / 5) for number in range(40))
        self._frames = [np.asarray(cv2.resize(one, (640, 360)), np.uint8) for one in moments]
        self._next = 0

    def open(self) -> None:
        pass

    def read(self) -> Grey:
        self._next += 1
        return self._frames[self._next % len(self._frames)].copy()

    def close(self) -> None:
        pass


if __name__ == "__main__":
    agent = Agent(load(AgentSettings, Path(sys.argv[1])), Fast())
    stop_on_signals(agent.stop)
    agent.run()
