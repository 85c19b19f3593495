from __future__ import annotations

import threading
from pathlib import Path

import pytest

from edge.agent import Agent
from edge.camera.simulation import SimulatedCamera
from edge.common.errors import Stall
from edge.config import AgentSettings
from tests.free import free_port


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


def test_a_machine_that_is_too_hot_looks_at_half_the_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hot: list[str] = []
    monkeypatch.setattr("edge.agent.throttle_reasons", lambda: tuple(hot))
    settings = {"site": "school", "room": "r101", "state": tmp_path, "frames_per_second": 4}
    agent = Agent(AgentSettings.model_validate(settings))
    assert agent._period() == 0.25
    hot.append("under_voltage")
    assert agent._period() == 0.25
    hot.append("throttled")
    assert agent._period() == agent._period() == 0.5
    hot.clear()
    assert agent._period() == 0.25
    lines = [record.message for record in caplog.records if "the machine is" in record.message]
    assert lines == ["the machine is too hot: halving the frame rate", "the machine is cool again"]
