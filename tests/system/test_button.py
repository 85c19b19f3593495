"""The button and the light, on simulated pins, with a real agent, broker and film."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import psutil
import pytest
from gpiozero.pins.mock import MockFactory
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge.agent import Agent
from edge.config import AgentSettings
from tests.conftest import Mosquitto
from tests.free import wait

pytestmark = pytest.mark.once

BUTTON, LED_PIN = 17, 27
BOUNCE_S = 0.1


class Running:
    """An agent in a thread of the test, so that its pins can be pressed."""

    def __init__(self, settings: AgentSettings) -> None:
        self.agent = Agent(settings)
        self._thread = threading.Thread(target=self.agent.run)

    def __enter__(self) -> Agent:
        self._thread.start()
        return self.agent

    def __exit__(self, *_: object) -> None:
        self.agent.stop()
        self._thread.join(60)
        assert not self._thread.is_alive()


def is_open(path: Path) -> bool:
    """Whether this process holds the camera's file."""
    return any(file.path == str(path) for file in psutil.Process().open_files())


def press(pins: MockFactory) -> None:
    time.sleep(BOUNCE_S)
    pins.pin(BUTTON).drive_low()
    time.sleep(BOUNCE_S)
    pins.pin(BUTTON).drive_high()


def test_the_button_closes_the_camera_and_a_restart_leaves_it_closed(
    tmp_path: Path, mosquitto: Mosquitto, pins: MockFactory, lesson_film: Path
) -> None:
    camera = lesson_film
    settings = AgentSettings.model_validate(
        {
            "site": "school",
            "room": "r101",
            "camera": str(camera),
            "window_seconds": 2,
            "broker": {"port": mosquitto.port},
            "gpio": {"button": BUTTON, "led": LED_PIN},
            "state": tmp_path / "state",
            # The agent lives in the tests' own process here, whatever that has grown to.
            "supervision": {"memory_mb": 65_536},
        }
    )

    pauses: list[str | None] = []
    """What the agent told of why the camera is closed."""
    listener = mqtt.Client(CallbackAPIVersion.VERSION2)
    listener.on_message = lambda _c, _u, message: pauses.append(
        (json.loads(message.payload)["health"] or {}).get("pause")
    )
    listener.connect("127.0.0.1", mosquitto.port)
    listener.subscribe("roommood/v1/school/r101/status", qos=1)
    listener.loop_start()

    def lit() -> bool:
        return bool(pins.pin(LED_PIN).state)

    with Running(settings):
        wait(lambda: is_open(camera))
        assert lit()
        press(pins)
        wait(lambda: not is_open(camera) and not lit())
        time.sleep(1)
        assert not is_open(camera)

    pauses.clear()
    with Running(settings):
        time.sleep(2)
        assert not is_open(camera)
        assert not lit()
        wait(lambda: pauses[-1:] == ["button"])
        press(pins)
        wait(lambda: is_open(camera) and lit())
        wait(lambda: pauses[-1:] == [None])
    assert not is_open(camera)
    listener.disconnect()
    listener.loop_stop()
