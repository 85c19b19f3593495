"""A name whose look-up does not end: it is said, and nobody has to wait for it."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from edge.common import link
from edge.common.broker import BrokerSettings
from edge.common.link import MqttLink
from tests.free import wait

log = logging.getLogger(__name__)


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    over, find = threading.Event(), socket.getaddrinfo

    def hang(host: Any, *more: Any, **kwargs: Any) -> Any:
        if host == "broker.school.example":
            over.wait(120)
        return find(host, *more, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    yield
    over.set()


@pytest.mark.usefixtures("hanging")
def test_it_is_said_and_the_end_does_not_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "HANGS_S", 0.5)
    mqtt_link = MqttLink(
        BrokerSettings(host="broker.school.example"),
        "test",
        log,
        topics=(),
        on_up=lambda: None,
        on_message=lambda _topic, _payload: None,
        meanwhile="windows wait in the outbox",
    )
    mqtt_link.start()
    wait(lambda: "still looking up this name" in mqtt_link.problem())
    start = time.monotonic()
    mqtt_link.stop()
    assert time.monotonic() - start < 60  # half of what the look-up takes
