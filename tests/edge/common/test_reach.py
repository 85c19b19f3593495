"""A broker that is not reached is spoken of: why, what to do, once, by link and checks alike."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import convert_connack_rc_to_reason_code
from paho.mqtt.enums import ConnackCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import ValidationError

from edge.common.broker import BrokerSettings
from edge.common.errors import Problem
from edge.common.link import MqttLink
from edge.common.reach import REJECTIONS, explain, rejection, try_connection
from tests.conftest import Mosquitto
from tests.free import free_port
from tests.missed_brokers import certificate, server


def wrong(**settings: Any) -> str:
    return str(try_connection(BrokerSettings.model_validate(settings), "test"))


def test_each_way_to_miss_a_broker_has_words_and_a_remedy(tmp_path: Path) -> None:
    ours, other = certificate(tmp_path, "ours", "127.0.0.1"), certificate(tmp_path, "o", "1.2.3.4")
    old = certificate(tmp_path, "old", "127.0.0.1", days=(-20, -10))
    coming = certificate(tmp_path, "coming", "127.0.0.1", days=(10, 20))
    port = free_port()
    assert wrong(host="mood.invalid") == (
        "mood.invalid:1883: this name is not known here: "
        "check broker.host, and this machine's DNS server"
    )
    assert wrong(port=port) == (
        f"127.0.0.1:{port}: nothing accepts connections there: "
        "check broker.port, and that the broker runs"
    )
    with server(ours) as port:
        assert "closes the connection without an answer: check broker.port; " in wrong(port=port)
        problem = wrong(port=port, ca=other)
        assert f"its certificate is not signed by {other}: set broker.ca" in problem
        # At the end of the TLS handshake it ends the connection.
        assert "rejects our certificate: check broker.certificate" in wrong(port=port, ca=ours)
    with server(ours, wants=other) as port:
        assert "rejects our certificate" in wrong(port=port, ca=ours)
    with server(other) as port:
        assert "its certificate is for another" in wrong(port=port, ca=other)
    with server(old) as port:
        assert "its certificate has expired: renew it" in wrong(port=port, ca=old)
    with server(coming) as port:
        assert "not valid yet: check this machine's clock" in wrong(port=port, ca=coming)
    with server() as port:
        assert "does not speak TLS as we do: check broker.port (8883" in wrong(port=port, ca=ours)


def test_a_broker_that_is_there_is_reached_and_one_that_refuses_says_so(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    assert try_connection(BrokerSettings(port=mosquitto.port), "test") is None
    picky = Mosquitto(tmp_path)
    (tmp_path / "mosquitto.conf").write_text(f"listener {picky.port} 127.0.0.1\n")
    picky.start()
    try:
        assert "rejects us (Not authorized): check broker.username" in wrong(port=picky.port)
    finally:
        picky.stop()


CONNACK = [
    code
    for code, names in ReasonCode(PacketTypes.CONNACK).names.items()
    for packets in names.values()
    if PacketTypes.CONNACK in packets and code >= 128
]


def rejection_by(code: int) -> Problem:
    reason = ReasonCode(PacketTypes.CONNACK, identifier=code)
    return rejection(reason, BrokerSettings(host="mood.example"))


def test_every_answer_of_a_broker_has_a_remedy_of_its_own_kind() -> None:
    """Whatever paho knows as an answer to CONNECT; user and password are asked for by two alone."""
    assert {*CONNACK} == {*REJECTIONS}
    login = {code for code in CONNACK if "broker.password" in rejection_by(code).remedy}
    assert login == {134, 135}
    assert "broker.protocol" in rejection_by(132).remedy
    for code, word in {
        136: "started",
        137: "load",
        149: "size",
        151: "limits",
        157: "host",
    }.items():
        assert word in rejection_by(code).remedy


@pytest.mark.parametrize(
    ("old", "remedy"),
    [
        (ConnackCode.CONNACK_REFUSED_PROTOCOL_VERSION, "set broker.protocol to auto"),
        (ConnackCode.CONNACK_REFUSED_IDENTIFIER_REJECTED, "rules on client names"),
        (ConnackCode.CONNACK_REFUSED_SERVER_UNAVAILABLE, "check that the broker has started"),
        (ConnackCode.CONNACK_REFUSED_BAD_USERNAME_PASSWORD, "check broker.username"),
        (ConnackCode.CONNACK_REFUSED_NOT_AUTHORIZED, "check broker.username"),
    ],
)
def test_every_answer_of_mqtt_3_has_the_same(old: ConnackCode, remedy: str) -> None:
    reason = convert_connack_rc_to_reason_code(old)
    assert remedy in rejection(reason, BrokerSettings()).remedy


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "no answer: check broker.host, the network, and firewalls"),
        (
            OSError(113, "No route to host"),
            "it cannot be reached from this network: check the network",
        ),
        (OSError(101, "Network is unreachable"), "it cannot be reached from this network"),
        (OSError(24, "Too many open files"), "too many open files"),
        (ConnectionResetError(104, "reset"), "closes the connection without an answer"),
    ],
)
def test_errors_that_no_test_can_cause(error: OSError, words: str) -> None:
    assert words in str(explain(error, BrokerSettings()))


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("mqtt://mood.example", "write the name alone, without mqtt://"),
        ("mood.example:1884", "write the name alone, and the port as 'port: 1884'"),
        ("10.0.0.4:1884", "'port: 1884'"),
        ("mood example", "no name of a machine"),
        ("kim@mood.example", "'username' and 'password' are keys of their own"),
        ("mood..example", "no name of a machine"),
        ("", "no name of a machine"),
        ("x" * 70, "no name of a machine"),
    ],
)
def test_what_is_no_name_is_refused_in_words(host: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        BrokerSettings(host=host)


@pytest.mark.parametrize("host", ["[::1]", "::1", "mood.example", "10.0.0.4", "bücher.example"])
def test_names_and_addresses_are_taken(host: str) -> None:
    assert BrokerSettings(host=host).host == host.strip("[]")


@contextmanager
def link(port: int, name: str = "test") -> Iterator[MqttLink]:
    mqtt_link = MqttLink(
        BrokerSettings(port=port),
        name,
        logging.getLogger("tests.link"),
        topics=["t"],
        on_up=lambda: None,
        on_message=lambda topic, payload: None,
        meanwhile="windows wait",
    )
    mqtt_link.start()
    yield mqtt_link
    mqtt_link.stop()


def until(happens: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_link_says_once_why_it_is_not_up(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    with caplog.at_level(logging.WARNING), link(port) as client:
        until(lambda: "nothing accepts connections there" in client.problem())
        time.sleep(2.5)  # two more tries
    lines = [record.getMessage() for record in caplog.records if "accepts" in record.getMessage()]
    assert lines == [
        f"broker: 127.0.0.1:{port}: nothing accepts connections there: check broker.port, "
        "and that the broker runs; windows wait"
    ]


def test_two_with_one_name_are_told_of_it(mosquitto: Mosquitto) -> None:
    with link(mosquitto.port, "twin") as first:
        until(lambda: first.is_connected)
        with link(mosquitto.port, "twin") as second:
            until(
                lambda: any(
                    "another client connects as 'twin'" in one.problem() for one in (first, second)
                )
            )
