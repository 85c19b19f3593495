from __future__ import annotations

import threading
from pathlib import Path

import pytest

from edge.agent import Agent
from edge.camera.simulation import SimulatedCamera
from edge.common.errors import Stall
from edge.config import AgentSettings
from edge.run.supervision import Supervisor
from tests.free import free_port, wait


def test_an_agent_whose_driver_hangs_gives_up_so_that_a_new_one_may_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang = threading.Event()
    monkeypatch.setattr(SimulatedCamera, "read", lambda _: hang.wait(30))
    settings = {
        "site": "school",
        "room": "r101",
        "state": tmp_path,
        "broker": {"port": free_port()},
        "supervision": {"driver_s": 1, "memory_mb": 65_536},  # the tests' own memory
    }
    agent = Agent(AgentSettings.model_validate(settings))
    with pytest.raises(Stall, match="camera's driver: has not moved for 1 s"):
        agent.run()
    hang.set()


def test_an_agent_of_which_a_part_cannot_begin_leaves_no_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"site": "school", "room": "r101", "state": tmp_path, "camera": "sim:seats=6"}
    agent = Agent(AgentSettings.model_validate(settings | {"broker": {"port": free_port()}}))

    def start(_supervisor: Supervisor) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Supervisor, "start", start)
    before = set(threading.enumerate())
    with pytest.raises(RuntimeError, match="can't start new thread"):
        agent.run()
    wait(lambda: set(threading.enumerate()) <= before)
