from __future__ import annotations

import threading
from pathlib import Path

import pytest

from edge import agent
from edge.agent import Agent
from edge.camera.simulated import SimulatedCamera
from edge.config import AgentSettings
from edge.errors import CameraFault
from tests.free import free_port


def test_an_agent_whose_driver_hangs_gives_up_so_that_a_new_one_may_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang = threading.Event()
    monkeypatch.setattr(SimulatedCamera, "read", lambda _: hang.wait(30))
    monkeypatch.setattr(agent, "DRIVER_HANGS_S", 0.3)
    settings = {
        "site": "school",
        "room": "r101",
        "state": tmp_path,
        "broker": {"port": free_port()},
    }
    made = Agent(AgentSettings.model_validate(settings))
    with pytest.raises(CameraFault, match="does not return"):
        made.run()
    hang.set()
