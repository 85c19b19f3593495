"""A real camera with real faces: nothing but their number leaves without an attestation."""

from __future__ import annotations

import json
import queue
import urllib.request
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import cv2
import pytest
import yaml
from click.testing import CliRunner
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from deploy.commands.site import site
from tests.conftest import ROOT, Mosquitto
from tests.free import free_port
from tests.system.process import Roommood
from tests.system.test_stream import RtspServer

pytestmark = pytest.mark.once

FRAMES = 25


@pytest.fixture(scope="module")
def room(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtspServer]:
    """Twelve people on a network camera, which all tests look at."""
    film = cv2.VideoCapture(str(data / "rooms_mosaic" / "mosaic_3x4.mp4"))
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(FRAMES):
        _, frame = film.read()
        small = cv2.resize(frame, (960, 544))  # JPEG over RTP wants multiples of 8
        cv2.imwrite(str(folder / f"{number:05}.jpg"), small)
    camera = RtspServer(folder)
    camera.start()
    yield camera
    camera.stop()


@pytest.fixture
def config(tmp_path: Path, mosquitto: Mosquitto, room: RtspServer) -> Path:
    settings = {
        "site": "school",
        "room": "r101",
        "camera": room.url,
        "window_seconds": 2,
        "broker": {"port": mosquitto.port},
        "attestation": "signed.yaml",
        "site_key": "keys/site.pub",
        "kiosk": {"port": free_port()},
        "state": "state",
    }
    path = tmp_path / "agent.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


@pytest.fixture
def inbox(mosquitto: Mosquitto) -> Iterator[queue.Queue[Any]]:
    messages: queue.Queue[Any] = queue.Queue()
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _c, _u, message: messages.put(
        (message.topic.rpartition("/")[2], json.loads(message.payload))
    )
    client.connect("127.0.0.1", mosquitto.port)
    client.subscribe("roommood/#", qos=1)
    client.loop_start()
    yield messages
    client.disconnect()
    client.loop_stop()


def attest(folder: Path, **changes: object) -> None:
    """Signs the example's answers, for today and some, with a key of this site."""
    answers = yaml.safe_load((ROOT / "deploy" / "examples" / "attestation.yaml").read_text())
    answers |= {"first_day": date.today(), "last_day": date.today() + timedelta(days=30)}
    (folder / "answers.yaml").write_text(yaml.safe_dump(answers | changes))
    if not (folder / "keys").exists():
        call("key", "--out", folder / "keys")
    options = ("--answers", folder / "answers.yaml", "--out", folder / "signed.yaml")
    call("attest", "--key", folder / "keys" / "site.key", *options)


def call(*arguments: object) -> None:
    result = CliRunner().invoke(site, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output


def window(inbox: queue.Queue[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The next mood with faces, and the newest status."""
    status: dict[str, Any] = {}
    while True:
        kind, content = inbox.get(timeout=40)
        if kind == "status":
            status = content
        elif content["faces"]:
            return content, status


def screen(config: Path) -> str:
    """What the screen in the room shows."""
    port = yaml.safe_load(config.read_text())["kiosk"]["port"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        text: str = answer.read().decode()
    return text


@pytest.mark.parametrize("why", ["no_attestation", "prohibited", "expired"])
def test_without_an_answer_only_faces_are_counted(
    config: Path, inbox: queue.Queue[Any], why: str
) -> None:
    if why == "no_attestation":
        content = yaml.safe_load(config.read_text())
        config.write_text(yaml.safe_dump(content | {"attestation": None}))
    elif why == "prohibited":
        attest(config.parent, country="DE")
    else:
        past = date.today() - timedelta(days=1)
        attest(config.parent, first_day=past - timedelta(days=9), last_day=past)
    with Roommood("agent", "run", "--config", config) as agent:
        agent.wait_for_line("counting faces only")
        mood, status = window(inbox)
        kiosk = screen(config)
    assert 8 <= mood["faces"] <= 14
    assert "No expressions are read here." in kiosk
    assert mood["counts"] is None
    assert mood["withheld"] == "headcount_only"
    assert mood["model"] == "0" * 12
    assert (status["health"]["mode"], status["health"]["because"]) == ("headcount", why)


def test_with_an_answer_expressions_are_counted(config: Path, inbox: queue.Queue[Any]) -> None:
    attest(config.parent)
    with Roommood("agent", "run", "--config", config):
        mood, status = window(inbox)
        kiosk = screen(config)
    assert "It does not read feelings" in kiosk
    assert "Name Surname, Head teacher, head@school.example" in kiosk
    assert sum(mood["counts"].values()) == mood["faces"]
    assert status["health"]["because"] == "attested"
