"""Agent and collector as a school runs them: two processes and a real Mosquitto."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml
from paho.mqtt import publish

from collector.access.script import token_in
from tests.conftest import Mosquitto
from tests.free import free_port, wait
from tests.system.process import Roommood

HEADERS: dict[str, str] = {}
"""Of whoever asks the collector; set by `configs`."""


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def configs(tmp_path: Path, mosquitto: Mosquitto, port: int) -> tuple[Path, Path]:
    agent = {
        "site": "school",
        "room": "r101",
        "camera": "sim:seats=8,seed=5",
        "window_seconds": 1.5,
        "frames_per_second": 4,
        "broker": {"port": mosquitto.port},
        "state": "agent",
    }
    database = f"sqlite:///{tmp_path}/collector.sqlite"
    HEADERS["authorization"] = f"Bearer {token_in(database)}"
    collector = {
        "database": database,
        "broker": {"port": mosquitto.port, "protocol": "5"},
        "web": {"port": port},
    }
    paths = tmp_path / "agent.yaml", tmp_path / "collector.yaml"
    for path, content in zip(paths, (agent, collector), strict=True):
        path.write_text(yaml.safe_dump(content))
    return paths


def room(port: int) -> dict[str, Any]:
    try:
        rooms: list[dict[str, Any]] = httpx.get(
            f"http://127.0.0.1:{port}/api/rooms", headers=HEADERS
        ).json()
    except httpx.TransportError:
        return {}
    return rooms[0] if rooms else {}


def moods(port: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = httpx.get(
        f"http://127.0.0.1:{port}/api/rooms/school/r101/moods", headers=HEADERS
    ).json()
    return rows


def whole(port: int, at_least: int) -> bool:
    """Whether the collector has that many windows, and none is missing."""
    seqs = [row["seq"] for row in moods(port)]
    return len(seqs) >= at_least and seqs == list(range(len(seqs)))


@pytest.mark.once  # agents and a collector run on both in the test below
def test_live_paused_live_offline(
    configs: tuple[Path, Path], mosquitto: Mosquitto, port: int
) -> None:
    def command(text: str) -> None:
        topic = "roommood/v1/school/r101/command"
        publish.single(topic, f'{{"command": "{text}"}}', qos=1, port=mosquitto.port)

    with Roommood("collector", "run", "--config", configs[1]):
        with Roommood("agent", "run", "--config", configs[0]) as agent:
            wait(lambda: room(port).get("state") == "live")
            command("pause")
            wait(lambda: room(port)["state"] == "paused")
            agent.wait_for_line("the camera is closed")
            wait(lambda: room(port)["mood"]["withheld"] == "paused")
            command("resume")
            wait(lambda: room(port)["state"] == "live")
            agent.interrupt()
            assert agent.process.returncode == 0
        wait(lambda: room(port)["state"] == "offline")
        assert whole(port, 2)


@pytest.mark.once
def test_a_pause_outlives_the_agent(
    configs: tuple[Path, Path], mosquitto: Mosquitto, port: int
) -> None:
    topic = "roommood/v1/school/r101/command"
    with Roommood("collector", "run", "--config", configs[1]):
        with Roommood("agent", "run", "--config", configs[0]) as first:
            wait(lambda: room(port).get("state") == "live")
            publish.single(topic, '{"command": "pause"}', qos=1, port=mosquitto.port)
            first.wait_for_line("the camera is closed")
            first.process.kill()
        with Roommood("agent", "run", "--config", configs[0]):
            wait(lambda: room(port)["mood"]["withheld"] == "paused")
            assert room(port)["state"] == "paused"


def test_nothing_is_lost_while_the_collector_is_down(configs: tuple[Path, Path], port: int) -> None:
    with Roommood("agent", "run", "--config", configs[0]):
        with Roommood("collector", "run", "--config", configs[1]) as first:
            wait(lambda: room(port).get("mood") is not None)
            first.process.kill()
        time.sleep(4)
        with Roommood("collector", "run", "--config", configs[1]):
            wait(lambda: bool(room(port)) and whole(port, 5))


@pytest.mark.once
def test_nothing_is_lost_while_the_broker_is_down(
    configs: tuple[Path, Path], mosquitto: Mosquitto, port: int
) -> None:
    with (
        Roommood("collector", "run", "--config", configs[1]),
        Roommood("agent", "run", "--config", configs[0]) as agent,
    ):
        wait(lambda: room(port).get("mood") is not None)
        mosquitto.stop()
        agent.wait_for_line("connection lost")
        time.sleep(3)
        mosquitto.start()
        # The agent may be back before the collector listens: what it sends then, it sends again.
        goal = len(moods(port)) + 3
        wait(lambda: whole(port, goal))


@pytest.mark.once
def test_the_agent_writes_nothing_but_its_outbox(configs: tuple[Path, Path], port: int) -> None:
    with (
        Roommood("collector", "run", "--config", configs[1]),
        Roommood("agent", "run", "--config", configs[0]) as agent,
    ):
        wait(lambda: room(port).get("mood") is not None)
        process = psutil.Process(agent.process.pid)
        open_files = {Path(file.path).name for file in process.open_files() if file.mode != "r"}
        connections = process.net_connections()
        ours = {c.laddr.port for c in connections}  # paho wakes its thread through a pair of these
        peers = {c.raddr.port for c in connections if c.raddr} - ours
    outbox = {"outbox.sqlite", "outbox.sqlite-wal", "outbox.sqlite-shm", "outbox.copy0"}
    assert open_files <= {"agent.lock", *outbox}
    assert peers == {yaml.safe_load(configs[0].read_text())["broker"]["port"]}
