"""How many are in a room that withholds it, guessed from how hard its device works.

A real agent looks at one to four simulated pupils, too few for anything to be published. The
attacker has trained on the device's figures of other windows and guesses from those of one. How
much better than chance is what the figures gave away.
"""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import NamedTuple

from edge.agent import Agent
from edge.config import AgentSettings
from edge.protocol.messages import Mood
from tests.free import free_port, wait

ROOMS = (1, 2, 3, 4)
Row = tuple[float, ...]


class Leak(NamedTuple):
    """Points of a hundred by which the number of pupils is guessed better than by chance."""

    windows: int
    exact: float
    """From the figures as they are measured."""
    publication_share: float
    """From what leaves the device."""


def measure(windows: int) -> Leak:
    """Takes about a second for each window of each of the four rooms."""
    exact: list[Row] = []
    public: list[Row] = []
    answers: list[int] = []
    for pupils in ROOMS:
        for exact_row, public_row in run(pupils, windows):
            exact.append(exact_row)
            public.append(public_row)
            answers.append(pupils)
    return Leak(len(answers), _points(exact, answers), _points(public, answers))


def run(pupils: int, windows: int) -> list[tuple[Row, Row]]:
    rows: list[tuple[Row, Row]] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "site": "school",
            "room": f"r{pupils}",
            "state": Path(folder),
            "camera": f"sim:seats={pupils},seed=1",
            "window_seconds": 1,
            "frames_per_second": 10,
            "broker": {"port": free_port()},
            "supervision": {"memory_mb": 65_536},  # the tests' own memory
        }
        agent = Agent(AgentSettings.model_validate(settings))
        keep = agent._outbox.add

        def note(mood: Mood) -> None:
            keep(mood)
            window = agent._newest
            if window is not None and window.mood.withheld == "few_faces":
                health = agent._health()
                figures = (health.frames_per_s, health.ms_per_frame or 0.0, window.mood.frames)
                exact = (window.frames_per_s, window.ms_per_frame or 0.0)
                # Memory and temperature are the test machine's, and drift from room to room.
                rows.append((exact, (*map(float, figures), window.mood.seconds)))

        agent._outbox.add = note  # type: ignore[method-assign]  # to look each time at the one before
        thread = threading.Thread(target=agent.run)
        thread.start()
        try:
            wait(lambda: len(rows) > windows, seconds=20 + 5 * windows)
        finally:
            agent.stop()
            thread.join(60)
    return rows[1 : windows + 1]  # in the first the model warms up


def _points(rows: list[Row], answers: list[int]) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    guesser = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    right = cross_val_score(guesser, rows, answers, cv=4).mean()
    return float(100 * (right - 1 / len(ROOMS)))
