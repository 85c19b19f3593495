"""Many devices enrolled against one collector, each with its own key, until all publish."""

from __future__ import annotations

import contextlib
import getpass
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import yaml
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from collector.access.audit import AuditLog
from collector.access.limits import Limits
from collector.access.secret import own_key
from collector.config import CollectorSettings
from collector.fleet.service import FleetService
from collector.storage.database import connect
from deploy.bench.load.devices import window
from deploy.commands.broker import find_mosquitto
from deploy.commands.ports import free_port
from deploy.commands.site_init import SitePlan, init
from edge.common.child import python_command
from edge.common.errors import UserError
from edge.common.settings import load
from edge.device.enrol import DeviceEnrolment
from edge.protocol.code import Code
from edge.protocol.identity import AUTHORITY, CERTIFICATE, KEY, Identity
from edge.protocol.messages import topic

SITE = "load"
AT_ONCE = 32
"""Devices that ask at the same time."""
BEGINS_S, PUBLISHES_S = 30.0, 60.0


def measure(devices: int) -> dict[str, Any]:
    """Seconds until all are enrolled, and until the collector has stored a window of each."""
    with (
        tempfile.TemporaryDirectory(prefix="roommood-fleet-") as root,
        _school(Path(root)) as place,
    ):
        settings = load(CollectorSettings, place.config)
        assert settings.fleet is not None
        engine = connect(settings.database)
        audit = AuditLog(engine, settings.state, own_key(settings.state))
        fleet = FleetService(settings.fleet, engine, audit, Limits(), settings.broker)
        url = f"https://localhost:{place.web_port}"
        over = threading.Event()
        approver = threading.Thread(target=_approve, args=(fleet, over), daemon=True)
        approver.start()
        start = time.monotonic()

        def enrol(number: int) -> Path:
            state = Path(root) / f"device{number}"
            code = Code(str(fleet.invitations.invite((SITE, f"r{number}"), "bench", 900)))
            DeviceEnrolment(url, code, state).run(lambda _line: None, 300)
            return state

        try:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                states = list(pool.map(enrol, range(devices)))
            enrolment_s = time.monotonic() - start
            count = _publish(states, place.broker_port)
        finally:
            over.set()
            approver.join()
            engine.dispose()
        return {
            "devices": devices,
            "enrolled_s": round(enrolment_s, 1),
            "publishing": count,
            "publishing_s": round(time.monotonic() - start, 1),
        }


def _approve(fleet: FleetService, over: threading.Event) -> None:
    """What IT does; here without looking."""
    while not over.wait(0.5):
        for request in fleet.invitations.pending():
            fleet.enrolment.approve(request, "bench")


def _publish(states: list[Path], port: int) -> int:
    """A window from each over its own TLS connection; how many the collector acknowledged."""
    acks: set[str] = set()
    clients = []
    for state in states:
        room = Identity(state).name
        mqtt_client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        identity = state / "identity"
        context = ssl.create_default_context(cafile=str(identity / AUTHORITY))
        context.load_cert_chain(identity / CERTIFICATE, identity / KEY)
        mqtt_client.tls_set_context(context)

        def up(client: mqtt.Client, _data: Any, *_more: Any, room: str = room) -> None:
            client.subscribe(topic(SITE, room, "ack"), qos=1)

        def ready(client: mqtt.Client, _data: Any, *_more: Any, room: str = room) -> None:
            client.publish(topic(SITE, room, "mood"), window(SITE, room, 0, 5.0), qos=1)

        def on_ack(_client: mqtt.Client, _data: Any, _message: Any, room: str = room) -> None:
            acks.add(room)

        mqtt_client.on_connect, mqtt_client.on_subscribe, mqtt_client.on_message = up, ready, on_ack
        mqtt_client.connect("localhost", port)
        mqtt_client.loop_start()
        clients.append(mqtt_client)
    end = time.monotonic() + PUBLISHES_S
    while len(acks) < len(states) and time.monotonic() < end:
        time.sleep(0.1)
    for mqtt_client in clients:
        mqtt_client.disconnect()
        mqtt_client.loop_stop()
    return len(acks)


@contextlib.contextmanager
def _school(folder: Path) -> Iterator[SitePlan]:
    """A site with its broker and collector, each a process of its own."""
    place = SitePlan(
        SITE,
        ("localhost",),
        folder / "site",
        folder / "collector.yaml",
        folder / "collector",
        folder / "broker.log",
        folder / "broker",
        free_port(),
        free_port(),
        free_port(),
    )
    place.data.mkdir()
    list(init(place))
    conf = place.folder / "broker" / "mosquitto.conf"
    conf.write_text(f"{conf.read_text()}user {getpass.getuser()}\n")
    content = yaml.safe_load(place.config.read_text())
    content["web"]["host"], content["log_level"] = "127.0.0.1", "warning"
    place.config.write_text(yaml.safe_dump(content))
    command = python_command("deploy.commands.cli", "collector", "run")
    with (folder / "collector.log").open("wb") as log:
        processes = [
            subprocess.Popen([find_mosquitto(), "-c", str(conf)], stderr=subprocess.DEVNULL),
            subprocess.Popen([*command, "--config", str(place.config)], stderr=log),
        ]
        try:
            _await(f"https://localhost:{place.web_port}/healthz", place.folder / "authority.pem")
            yield place
        finally:
            for process in reversed(processes):
                process.terminate()
                process.wait(15)


def _await(url: str, ca: Path) -> None:
    context = ssl.create_default_context(cafile=str(ca))
    end = time.monotonic() + BEGINS_S
    while time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, verify=context).status_code == 200:
                return
        time.sleep(0.2)
    raise UserError("did not start", "collector", "run `roommood collector check`")
