"""The shipped files as they are shipped: Mosquitto starts with them, and lets in whom it should."""

from __future__ import annotations

import getpass
import re
import shutil
import subprocess
import threading
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from collector.access.policy import RIGHTS, ROUTES
from collector.config import CollectorSettings
from deploy.commands.broker import ACL
from edge.common.broker import BrokerSettings
from edge.common.reach import try_connection
from edge.common.settings import Section, load
from edge.config import AgentSettings
from tests.conftest import ROOT
from tests.docs.documents import documents
from tests.free import free_port, wait_for_port

pytestmark = pytest.mark.once

EXAMPLES = ROOT / "deploy" / "examples"
DEBIANS = """
persistence true
persistence_location {folder}/data/
log_dest file {folder}/mosquitto.log
include_dir {folder}/conf.d
user {user}
"""
"""As Debian's mosquitto.conf is, which reads ours from the folder below it."""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A broker that follows the example's own instructions, but for the folder and the port."""
    folder, number = tmp_path_factory.mktemp("etc"), free_port()
    text = (EXAMPLES / "mosquitto.conf").read_text()
    for name in ("conf.d", "data"):
        (folder / name).mkdir()
    for line in re.findall(r"(?m)^#   (.*?)(?:   .*)?$", text):
        command = line.replace("/etc/mosquitto", str(folder)).replace("mosquitto:", "")
        if command.startswith("mosquitto_passwd"):
            command = re.sub(r"(mosquitto_passwd)( -c)?", r"\1\2 -b", command) + " change-me"
        elif command.startswith("chown"):
            command = re.sub(r"chown \S+ [^;]+; ", "", command)
        subprocess.run(["bash", "-euc", command], cwd=EXAMPLES, check=True, capture_output=True)
    ours = folder / "conf.d" / "roommood.conf"
    text = ours.read_text().replace("/etc/mosquitto", str(folder))
    ours.write_text(text.replace("listener 1883", f"listener {number}"))
    conf = folder / "mosquitto.conf"
    conf.write_text(DEBIANS.format(folder=folder, user=getpass.getuser()))
    process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", str(conf)])
    try:
        wait_for_port(number, process)
        yield number
    finally:
        process.terminate()
        process.wait(60)


def broker_of(kind: type[Section], file: str, port: int) -> BrokerSettings:
    settings: Any = load(kind, EXAMPLES / file)
    broker: BrokerSettings = settings.broker.model_copy(update={"port": port})
    return broker


def test_the_example_settings_are_let_in_and_others_are_not(port: int) -> None:
    agent = broker_of(AgentSettings, "agent.yaml", port)
    collector = broker_of(CollectorSettings, "collector.yaml", port)
    assert try_connection(agent, "a") is None
    assert try_connection(collector, "c") is None
    stranger = collector.model_copy(update={"username": None})
    assert try_connection(stranger, "s") is not None


def test_a_device_writes_its_own_room_alone(port: int) -> None:
    collector = broker_of(CollectorSettings, "collector.yaml", port)
    arrivals: list[str] = []
    ready, end = threading.Event(), threading.Event()
    reader, writer = (mqtt.Client(CallbackAPIVersion.VERSION2) for _ in range(2))
    for one, name in ((reader, "collector"), (writer, "r101")):
        one.username_pw_set(name, collector.password.get_secret_value())
    reader.on_subscribe = lambda *_: ready.set()

    def on_message(_client: Any, _data: Any, message: Any) -> None:
        arrivals.append(message.topic)
        if message.topic.endswith("/r101/status"):
            end.set()

    reader.on_message = on_message
    reader.connect("127.0.0.1", port)
    reader.subscribe("roommood/v1/+/+/#", qos=1)
    writer.connect("127.0.0.1", port)
    reader.loop_start()
    writer.loop_start()
    try:
        assert ready.wait(30)
        for topic in ("r102/mood", "r101/mood", "r101/status"):
            writer.publish(f"roommood/v1/my-school/{topic}", b"{}", qos=1)
        assert end.wait(30)
    finally:
        for one in (reader, writer):
            one.disconnect()
            one.loop_stop()
    assert sorted(arrivals) == [f"roommood/v1/my-school/r101/{end}" for end in ("mood", "status")]


def test_the_examples_rules_are_those_that_site_init_writes() -> None:
    def rules(text: str) -> list[str]:
        lines = [line.removeprefix("# ") for line in text.splitlines()]
        return [line for line in lines if re.match(r"(pattern|user|topic) ", line)]

    example = rules((EXAMPLES / "mosquitto.acl").read_text())
    assert example == rules(ACL.format(site="+"))


def test_grafanas_dashboard_and_the_playbook_are_what_they_say() -> None:
    assert yaml.safe_load((EXAMPLES / "grafana.json").read_text())["panels"]
    for path in (ROOT / "deploy" / "ansible").rglob("*.yaml"):
        assert yaml.safe_load(path.read_text()), path


def test_the_contract_names_all_that_answers_without_a_session() -> None:
    """What a proxy with a sign-in of its own has to let through."""
    text = (ROOT / "docs" / "contract.md").read_text()
    sentence = text.partition("Without a session")[2].partition("Who")[0]
    paths = {piece.strip("/*").split("/")[0] for piece in re.findall(r"`(/[^`]+)`", sentence)}
    open_routes = {
        path.split("/")[1] for (_, path), right in ROUTES.items() if RIGHTS[right] is None
    }
    assert paths == open_routes | {"static"}


def test_there_is_one_signing_key_in_the_documents() -> None:
    """The one that `install-collector` makes, or, where a file is named alone, that one's name."""
    places = set()
    for page in [*documents(), *EXAMPLES.glob("*.yaml")]:
        places |= set(re.findall(r"--key (/\S*site\.key)", page.read_text(encoding="utf-8")))
    assert places == {"/var/lib/roommood-collector/site/signing/site.key"}


def test_wheels_are_fetched_by_a_python_that_has_nothing_installed(tmp_path: Path) -> None:
    """Of a checkout: what it needs besides Python it brings itself."""
    checkout = tmp_path / "checkout"
    for name in ("deploy", "edge", "models"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("*.npz"))
    shutil.copy(ROOT / "pyproject.toml", checkout)
    venv.create(tmp_path / "bare", with_pip=False)
    result = subprocess.run(
        [tmp_path / "bare" / "bin" / "python", "-m", "deploy.wheels", "--help"],
        capture_output=True,
        text=True,
        cwd=checkout,
        check=False,
    )
    if "HTTPSConnection" in result.stderr or "Temporary failure" in result.stderr:
        pytest.skip("no package registry can be reached")
    assert result.returncode == 0, result.stderr
    assert "--detector" in result.stdout
