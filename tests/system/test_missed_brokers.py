"""Each way to miss a broker, at both ends: said in words with its remedy, once, and in health.

The checks try each way; agent and collector, as they run, meet one way after the other.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
import yaml
from click.testing import CliRunner, Result

from collector.cli import collector
from edge.cli import agent
from edge.common.errors import UserError
from tests.conftest import Mosquitto
from tests.free import free_port, wait
from tests.missed_brokers import WAYS, Way, certificate, server
from tests.system.process import Roommood

pytestmark = pytest.mark.once

AGENT = {"site": "school", "room": "r101", "camera": "sim:seats=8,seed=1", "window_seconds": 1}


def settings_file(folder: Path, end: str, broker: dict[str, Any], **more: Any) -> Path:
    own: dict[str, Any] = {"database": f"sqlite:///{folder}/c.sqlite"}
    path = folder / f"{end}.yaml"
    content = (AGENT if end == "agent" else own) | {"state": f"{end}-state", "broker": broker}
    path.write_text(yaml.safe_dump(content | more))
    return path


GROUPS: dict[str, click.Group] = {"agent": agent, "collector": collector}


def call(end: str, command: str, path: Path) -> Result:
    return CliRunner().invoke(GROUPS[end], [command, "--config", str(path)], standalone_mode=False)


@pytest.mark.parametrize("end", GROUPS)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_both_checks_say_why_a_broker_is_missed(tmp_path: Path, way: Way, end: str) -> None:
    with way.begin(tmp_path) as broker:
        result = call(end, "check", settings_file(tmp_path, end, broker))
    lines = [line for line in result.output.splitlines() if line.startswith("broker: ")]
    assert len(lines) == 1, result
    assert way.why in lines[0]
    assert way.remedy in lines[0]
    assert result.return_value == 1


@pytest.mark.parametrize("end", GROUPS)
@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize(
    ("host", "remedy"),
    [
        ("mqtt://mood.example", "write the name alone, without mqtt://"),
        ("mqtts://mood.example:8883", "write the name alone, without mqtts://"),
        ("mood.example:1884", "write the name alone, and the port as 'port: 1884'"),
        ("[::1]:1884", "and the port as 'port: 1884'"),
        ("kim:secret@mood.example", "'username' and 'password' are keys of their own"),
        ("mqtt://kim:secret@mood.example", "'username' and 'password' are keys of their own"),
    ],
)
def test_what_is_no_name_is_refused_at_once(
    tmp_path: Path, host: str, remedy: str, command: str, end: str
) -> None:
    path = settings_file(tmp_path, end, {"host": host})
    error = call(end, command, path).exception
    assert isinstance(error, UserError)
    assert "broker.host" in str(error)
    assert remedy in str(error)
    assert "secret" not in str(error)


class Ends:
    """Agent and collector as they run, with one broker's address."""

    def __init__(self, folder: Path, broker: dict[str, Any]) -> None:
        self._agent_health, self._web = free_port(), free_port()
        files = {
            "agent": settings_file(folder, "agent", broker, health={"port": self._agent_health}),
            "collector": settings_file(folder, "collector", broker, web={"port": self._web}),
        }
        self.processes = {end: Roommood(end, "run", "--config", files[end]) for end in files}

    def lines(self, end: str) -> list[str]:
        """What was said of the broker."""
        return [line for line in self.processes[end].errors if "broker: " in line]

    def health(self, end: str) -> str:
        port = self._agent_health if end == "agent" else self._web
        with contextlib.suppress(httpx.HTTPError):
            return json.dumps(httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=20).json())
        return ""

    def say(self, words: str, remedy: str) -> None:
        """Waits until both say it, in health too; fails where it is said twice."""
        for end in self.processes:
            wait(lambda end=end: any(words in line for line in self.lines(end)), 90)  # type: ignore[misc]  # bound now
            wait(lambda end=end: words in self.health(end), 90)  # type: ignore[misc]  # bound now
        time.sleep(5)  # one more try at least: it is said once however often it fails
        for end in self.processes:
            matches = [line for line in self.lines(end) if words in line]
            assert len(matches) == 1, self.lines(end)
            assert remedy in matches[0]

    def are_well(self) -> None:
        for end in self.processes:
            wait(lambda end=end: any("connected to" in x for x in self.lines(end)), 90)  # type: ignore[misc]  # bound now
            wait(lambda end=end: "broker.port" not in self.health(end), 90)  # type: ignore[misc]  # bound now


@contextlib.contextmanager
def running(folder: Path, broker: dict[str, Any]) -> Iterator[Ends]:
    ends = Ends(folder, broker)
    with contextlib.ExitStack() as stack:
        for process in ends.processes.values():
            stack.enter_context(process)
        yield ends


@pytest.mark.once
@pytest.mark.timeout(600)
def test_each_change_of_reason_is_said_once_while_they_run(tmp_path: Path) -> None:
    port = free_port()
    refusal = "nothing accepts connections there"
    with running(tmp_path, {"port": port, "username": "kim", "password": "wr@/[#%ng"}) as ends:
        ends.say(refusal, "check broker.port")
        with server(port=port):
            ends.say("closes the connection without an answer", "set broker.ca")
        broker = Mosquitto(tmp_path)
        broker.port = port
        conf = tmp_path / "mosquitto.conf"
        conf.write_text(f"listener {port} 127.0.0.1\n")
        broker.start()
        try:
            ends.say("rejects us (Not authorized)", "check broker.username, broker.password")
        finally:
            broker.stop()
        conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
        broker.start()
        try:
            ends.are_well()
        finally:
            broker.stop()
        for end in ends.processes:
            assert not [line for line in ends.processes[end].errors if "wr@/[#%ng" in line]


@pytest.mark.once
@pytest.mark.timeout(600)
def test_each_change_of_a_certificate_is_said_once_while_they_run(tmp_path: Path) -> None:
    port = free_port()
    ours = certificate(tmp_path, "ours", "127.0.0.1")
    other = certificate(tmp_path, "o", "127.0.0.1")
    trust_file = tmp_path / "trusted.pem"
    elsewhere = certificate(tmp_path, "elsewhere", "1.2.3.4")
    old = certificate(tmp_path, "old", "127.0.0.1", days=(-20, -10))
    trust_file.write_text("".join(one.read_text() for one in (ours, elsewhere, old)))
    with running(tmp_path, {"port": port, "ca": str(trust_file)}) as ends:
        with server(port=port):
            ends.say("does not speak TLS as we do", "check broker.port (8883")
        with server(other, port=port):
            ends.say("its certificate is not signed by", "set broker.ca to the authority")
        with server(elsewhere, port=port):
            ends.say("its certificate is for another", "set broker.host to")
        with server(old, port=port):
            ends.say("its certificate has expired", "renew it on the broker")
        with server(ours, wants=other, port=port):
            ends.say("rejects our certificate", "check broker.certificate")
