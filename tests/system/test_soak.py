"""The agent for long, speeded up: what it takes of the machine stays as it was.

`SOAK=18000 pytest tests/system/test_soak.py` looks at as many frames as an hour at five per second
has; the suite looks at fewer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.conftest import ROOT, Mosquitto

pytestmark = pytest.mark.once

FRAMES = int(os.environ.get("SOAK", "400"))


class Collector:
    """Acknowledges at once, and adds up the frames."""

    def __init__(self, port: int) -> None:
        self.frames = 0
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", port)
        self.client.subscribe("roommood/v1/school/r101/mood", qos=1)
        self.client.loop_start()

    def _on_message(self, _client: object, _userdata: object, message: mqtt.MQTTMessage) -> None:
        window = json.loads(message.payload)
        self.frames += window["frames"]
        ack = json.dumps({"boot": window["boot"], "seq": window["seq"]})
        self.client.publish("roommood/v1/school/r101/ack", ack, qos=1)


@pytest.mark.timeout(3600)
def test_memory_and_files_stay_as_they_are(tmp_path: Path, mosquitto: Mosquitto) -> None:
    config = tmp_path / "agent.yaml"
    settings = {
        "site": "school",
        "room": "r101",
        "camera": "sim:seats=12,seed=1",
        "window_seconds": 1,
        "frames_per_second": 30,
        "broker": {"port": mosquitto.port},
        "state": "state",
        "supervision": {"frozen_s": 3600},  # the film is short and repeats
    }
    config.write_text(yaml.safe_dump(settings))
    collector = Collector(mosquitto.port)
    agent = subprocess.Popen([sys.executable, "-m", "tests.system.soak", str(config)], cwd=ROOT)
    process = psutil.Process(agent.pid)
    samples: list[tuple[int, int]] = []
    try:
        while collector.frames < FRAMES:
            assert agent.poll() is None
            time.sleep(0.5)
            if collector.frames > FRAMES // 2:  # it has warmed up
                samples.append((process.memory_info().rss, process.num_fds()))
    finally:
        agent.terminate()
        agent.wait(60)
        collector.client.disconnect()
        collector.client.loop_stop()
    quarter = max(1, len(samples) // 4)
    first, last = samples[:quarter], samples[-quarter:]
    before, after = (sorted(rss for rss, _ in part)[len(part) // 2] for part in (first, last))
    print(f"{collector.frames} frames: {before / 2**20:.1f} MB, then {after / 2**20:.1f} MB")
    assert after < 1.05 * before
    assert last[-1][1] <= first[0][1] + 1
