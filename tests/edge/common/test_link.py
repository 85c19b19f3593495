"""The link against real brokers, good and bad ones."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from amqtt.broker import Broker
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from deploy.bench.faults.proxy import FaultProxy
from edge.common.broker import BeatingClient, BrokerSettings, Version
from edge.common.broker import client as new_client
from edge.common.clock import WallClock
from edge.common.errors import UserError
from edge.common.link import UNCONFIRMED_S, MqttLink
from tests.conftest import Mosquitto
from tests.free import free_port, wait, wait_for_port

log = logging.getLogger(__name__)

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
NOW = datetime.now(timezone.utc)


@pytest.fixture
def link() -> Iterator[Callable[..., MqttLink]]:
    links: list[MqttLink] = []

    def start(port: int, clock: WallClock | None = None, **settings: object) -> MqttLink:
        links.append(
            MqttLink(
                BrokerSettings.model_validate({"port": port, **settings}),
                "roommood-test",
                log,
                topics=("roommood/test",),
                on_up=lambda: None,
                on_message=lambda _topic, payload: payloads.append(payload),
                meanwhile="waiting",
                clock=clock,
            )
        )
        links[-1].start()
        return links[-1]

    payloads.clear()
    yield start
    for one in links:
        one.stop()


payloads: list[bytes] = []


@pytest.fixture
def old_broker() -> Iterator[int]:
    """A broker that speaks MQTT 3.1.1 alone."""
    port = free_port()
    loop = asyncio.new_event_loop()
    anonymous = {
        "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True},
    }
    listeners = {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}}

    async def begin() -> Broker:
        broker = Broker({"listeners": listeners, "plugins": anonymous})
        await broker.start()
        return broker

    broker = loop.run_until_complete(begin())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield port
    with contextlib.suppress(TimeoutError):  # it may wait for clients that have gone
        asyncio.run_coroutine_threadsafe(broker.shutdown(), loop).result(1)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def test_mqtt_5_where_the_broker_speaks_it(
    mosquitto: Mosquitto, link: Callable[..., MqttLink], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    client = link(mosquitto.port)
    wait(lambda: "MQTT 5" in caplog.text)
    wait(lambda: client.publish("roommood/test", b"hello") is not None and payloads != [])
    assert payloads[0] == b"hello"


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_an_end_by_our_own_wish_is_no_loss(
    mosquitto: Mosquitto,
    link: Callable[..., MqttLink],
    caplog: pytest.LogCaptureFixture,
    version: str,
) -> None:
    client = link(mosquitto.port, protocol=version)
    wait(lambda: client.is_connected)
    client.stop()
    assert caplog.text == ""


def test_two_clients_of_one_name_are_told_apart_from_a_bad_network(
    mosquitto: Mosquitto, link: Callable[..., MqttLink], caplog: pytest.LogCaptureFixture
) -> None:
    """As after a card was copied: each ends the other's connection."""
    pair = [link(mosquitto.port), link(mosquitto.port)]
    words = "another client connects as 'roommood-test' and ends our connection"
    wait(lambda: all(words in one.problem() for one in pair) or words in caplog.text)
    assert f"{words}; waiting: give each device a room and certificate of its own" in caplog.text


@pytest.mark.long
def test_3_1_1_where_it_does_not(
    old_broker: int, link: Callable[..., MqttLink], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    client = link(old_broker)
    wait(lambda: client.is_connected)
    client.publish("roommood/test", b"hello")
    wait(lambda: b"hello" in payloads)  # once more where the machine is slow
    assert "MQTT 3.1.1" in caplog.text


@pytest.mark.parametrize("mode", ["cut", "half_open"])
def test_it_comes_back_after(
    mode: str, mosquitto: Mosquitto, link: Callable[..., MqttLink]
) -> None:
    proxy = FaultProxy(mosquitto.port)
    client = link(proxy.port, keepalive_s=60)
    wait(lambda: client.is_connected)
    proxy.be("cut" if mode == "cut" else "half_open")
    time.sleep(0.3)
    proxy.be("pass")
    client.publish("roommood/test", b"perhaps")
    start = time.monotonic()

    def is_back() -> bool:
        client.publish("roommood/test", b"again")
        time.sleep(0.1)
        return b"again" in payloads

    wait(is_back, UNCONFIRMED_S + 60)
    assert mode == "cut" or time.monotonic() - start > UNCONFIRMED_S / 2
    client.stop()
    proxy.stop()


class Authority:
    """A certificate authority, and a broker with a certificate from it."""

    def __init__(self, folder: Path, begins: datetime, ends: datetime) -> None:
        key, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test authority")])

        def certificate(subject: x509.Name, of: ec.EllipticCurvePrivateKey, ca: bool) -> bytes:
            cert = (
                x509.CertificateBuilder()
                .subject_name(subject)
                .issuer_name(name)
                .public_key(of.public_key())
                .serial_number(x509.random_serial_number())
                .not_valid_before(begins)
                .not_valid_after(ends)
                .add_extension(x509.BasicConstraints(ca, None), critical=True)
                .add_extension(
                    x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), False
                )
                .sign(key, hashes.SHA256())
            )
            return cert.public_bytes(serialization.Encoding.PEM)

        self.ca = folder / "ca.pem"
        self.ca.write_bytes(certificate(name, key, True))
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "broker")])
        (folder / "broker.pem").write_bytes(certificate(subject, own, False))
        (folder / "broker.key").write_bytes(
            own.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        self.port = free_port()
        (folder / "m.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n"
            f"certfile {folder}/broker.pem\nkeyfile {folder}/broker.key\n"
        )
        self.process = subprocess.Popen(
            ["/usr/sbin/mosquitto", "-c", str(folder / "m.conf")], stderr=subprocess.DEVNULL
        )
        wait_for_port(self.port, self.process)


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Callable[[datetime, datetime], Authority]]:
    authorities: list[Authority] = []

    def start(begins: datetime, ends: datetime) -> Authority:
        authorities.append(Authority(tmp_path, begins, ends))
        return authorities[-1]

    yield start
    for one in authorities:
        one.process.terminate()
        one.process.wait(60)


YEAR = timedelta(days=365)


def test_tls_with_a_clock_that_is_right(
    link: Callable[..., MqttLink], authority: Callable[..., Authority]
) -> None:
    broker = authority(NOW - YEAR, NOW + YEAR)
    client = link(broker.port, ca=broker.ca)
    wait(lambda: client.is_connected)


def test_a_certificate_of_the_future_is_refused_by_a_clock_that_may_be_right(
    link: Callable[..., MqttLink],
    authority: Callable[..., Authority],
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = authority(NOW + YEAR, NOW + 2 * YEAR)
    client = link(broker.port, ca=broker.ca)
    wait(lambda: "not valid yet" in caplog.text)
    assert not client.is_connected


def test_a_clock_at_1970_does_not_keep_the_device_from_its_broker(
    link: Callable[..., MqttLink],
    authority: Callable[..., Authority],
    caplog: pytest.LogCaptureFixture,
) -> None:
    # What OpenSSL sees of a certificate that begins tomorrow is what a clock at 1970 sees of any.
    broker = authority(NOW + YEAR, NOW + 2 * YEAR)
    client = link(broker.port, WallClock(system=lambda: EPOCH), ca=broker.ca)
    wait(lambda: client.is_connected)
    assert "clock predates this build" in caplog.text


def test_nor_is_a_certificate_taken_that_had_ended_by_then(
    link: Callable[..., MqttLink],
    authority: Callable[..., Authority],
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = authority(EPOCH + 50 * YEAR, EPOCH + 52 * YEAR)
    client = link(broker.port, WallClock(system=lambda: EPOCH), ca=broker.ca)
    wait(lambda: "certificate has expired" in caplog.text)
    time.sleep(0.5)
    assert not client.is_connected or client._renew


def test_another_authority_is_refused_whatever_the_clock(
    link: Callable[..., MqttLink],
    authority: Callable[..., Authority],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = authority(NOW - YEAR, NOW + YEAR)
    elsewhere = tmp_path / "other"
    elsewhere.mkdir()
    other = Authority(elsewhere, NOW - YEAR, NOW + YEAR)
    client = link(broker.port, WallClock(system=lambda: EPOCH), ca=other.ca)
    wait(lambda: "certificate" in caplog.text)
    assert not client.is_connected
    other.process.terminate()
    other.process.wait(60)


def test_a_clock_that_is_set_later_is_believed_from_then_on(
    link: Callable[..., MqttLink], authority: Callable[..., Authority]
) -> None:
    broker = authority(NOW + YEAR, NOW + 2 * YEAR)
    now = [EPOCH]
    client = link(broker.port, WallClock(system=lambda: now[0]), ca=broker.ca)
    wait(lambda: client.is_connected)
    now[0] = NOW
    wait(lambda: not client.is_connected)


def test_a_message_of_the_client_just_replaced_is_not_waited_for(
    mosquitto: Mosquitto, link: Callable[..., MqttLink], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would ever confirm it, and the connection would be taken for a half-open one."""
    client = link(mosquitto.port)
    wait(lambda: client.is_connected)
    before, publish = client._client, client._client.publish

    def replaced_meanwhile(*args: Any, **kwargs: Any) -> Any:
        info = publish(*args, **kwargs)
        client._ask_anew()
        wait(lambda: client._client is not before)
        return info

    monkeypatch.setattr(before, "publish", replaced_meanwhile)
    client.publish("roommood/test", b"late")
    assert client._sends == {}


def test_certificates_that_cannot_be_used_now_are_tried_again(
    mosquitto: Mosquitto,
    link: Callable[..., MqttLink],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As while they are being renewed, when the new certificate has the old one's key."""
    client = link(mosquitto.port)
    wait(lambda: client.is_connected)
    make, tries = client._make_client, list[int]()

    def unusable_at_first(version: Version) -> Any:
        tries.append(1)
        if len(tries) < 3:
            raise UserError("the key does not belong to the certificate", "broker", "")
        return make(version)

    monkeypatch.setattr(client, "_make_client", unusable_at_first)
    before = client._client
    client._ask_anew()
    wait(lambda: client._client is not before and client.is_connected, 10)
    assert "the key does not belong" in caplog.text
    assert client.problem() == ""


def test_another_version_that_is_asked_for_while_one_is_made_is_not_forgotten(
    link: Callable[..., MqttLink], monkeypatch: pytest.MonkeyPatch
) -> None:
    clients: list[BeatingClient] = []
    versions: list[Version] = []

    def ask_for_another(old: Any) -> None:
        """As a broker does that does not speak this one."""
        reason = ReasonCode(PacketTypes.CONNACK, "Unsupported protocol version")
        old.on_connect(old, None, None, reason, None)

    def make(settings: BrokerSettings, name: str, version: Version, clock: WallClock) -> Any:
        versions.append(version)
        if len(versions) == 2:
            ask_for_another(clients[0])
        clients.append(new_client(settings, name, version, clock))
        return clients[-1]

    monkeypatch.setattr("edge.common.link.client", make)
    link(free_port())
    ask_for_another(clients[0])
    wait(lambda: versions == ["5", "3.1.1", "5"])


def test_a_network_thread_that_is_held_up_is_told_of(
    mosquitto: Mosquitto, link: Callable[..., MqttLink], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.common.link.HELD_UP_S", 1.5)  # paho moves every second
    client, answer = link(mosquitto.port), threading.Event()
    wait(lambda: client.is_connected)
    monkeypatch.setattr(client, "_on_message", lambda *_: answer.wait(60))
    monkeypatch.setattr(client, "_patience_s", 3.0)
    wait(lambda: client.problem() == client.fatal_problem() == "")
    client.publish("roommood/test", b"x")
    wait(lambda: client.problem() == "its network thread has not moved for 1.5 s")
    wait(lambda: client.fatal_problem() == "its network thread has not moved for 3 s")
    answer.set()
    wait(lambda: client.fatal_problem() == "")


def test_a_defect_in_what_is_done_with_a_message_is_survived(
    mosquitto: Mosquitto, link: Callable[..., MqttLink], caplog: pytest.LogCaptureFixture
) -> None:
    client = link(mosquitto.port)
    wait(lambda: client.is_connected)

    def fail(_topic: str, payload: bytes) -> None:
        if payload == b"odd":
            raise KeyError("notAfter")
        payloads.append(payload)

    client._on_message = fail
    for payload in (b"odd", b"good"):
        client.publish("roommood/test", payload)
    wait(lambda: payloads == [b"good"])
    assert "KeyError" in caplog.text
