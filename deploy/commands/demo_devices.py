"""The devices of the demo's made-up rooms, which publish on its broker as real ones do."""

from __future__ import annotations

import time

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from deploy.commands.demo_school import MadeUpSchool
from edge.common.worker import Worker
from edge.protocol.messages import Mood, Status, topic

EVERY_S = 10.0


class MadeUpDevices(Worker):
    """Says how the rooms are, and publishes their windows."""

    def __init__(self, school: MadeUpSchool, broker_port: int) -> None:
        super().__init__("made-up rooms", EVERY_S)
        self._school = school
        self._port = broker_port
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        self._is_connected = False

    def run_once(self) -> None:
        now = time.time()
        if not self._is_connected:
            self._client.connect("127.0.0.1", self._port)
            self._client.loop_start()
            self._is_connected = True
            for status in self._school.states(now):
                self._publish(status, topic(status.site, status.room, "status"), retain=True)
        for mood in self._school.latest(now, EVERY_S):
            self._publish(mood, topic(mood.site, mood.room, "mood"))

    def finish(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _publish(self, message: Mood | Status, name: str, retain: bool = False) -> None:
        self._client.publish(name, message.encode(), qos=1, retain=retain)
