"""Windows that the collector never takes: the others do not wait behind them, and it is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

import pytest

from edge.common.broker import BrokerSettings
from edge.common.clock import WallClock
from edge.outbox.store import Outbox
from edge.protocol.messages import Ack
from edge.transport import publisher as publishing
from edge.transport.publisher import AT_ONCE, Publisher
from tests.conftest import BOOT, Mosquitto, mood
from tests.edge.transport.publishers import BASE, Listener, publisher_of
from tests.free import wait

NOW = datetime.now(timezone.utc)


@pytest.fixture
def begin(mosquitto: Mosquitto, outbox: Outbox) -> Iterator[Callable[[], Publisher]]:
    publishers: list[Publisher] = []

    def start() -> Publisher:
        publisher = publisher_of(
            BrokerSettings(port=mosquitto.port),
            outbox,
            clock=WallClock(clock_trust=lambda: "synced"),
        )
        publishers.append(publisher)
        publisher.start()
        return publisher

    yield start
    for one in publishers:
        one.stop(0.1)


def test_others_do_not_wait_behind_what_is_refused(
    begin: Callable[[], Publisher],
    outbox: Outbox,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publishing, "OVERTAKE_S", 0.0)
    refused_count, count = 2 * AT_ONCE + 7, 4 * AT_ONCE
    for seq in range(count):
        outbox.add(mood(seq=seq))
    publisher = begin()
    good: set[int] = set()
    newest = count
    while len(good) < count - refused_count:
        message = listener.next("mood")
        seq = json.loads(message.payload)["seq"]
        if seq < refused_count:
            continue
        good |= {seq} if seq < count else set()
        ack = Ack(boot=BOOT, seq=seq).encode()
        listener.client.publish(f"{BASE}/ack", ack, qos=1)
        if newest < 3 * count and seq >= count - 1:  # the lesson goes on
            outbox.add(mood(seq=newest))
            newest += 1
            publisher.wake()
    wait(lambda: "the collector does not take" in publisher.problem())
    assert {one.seq for one in outbox.pending(count)} >= set(range(refused_count))


def test_a_window_of_next_year_says_that_its_clock_was_wrong(
    begin: Callable[[], Publisher], outbox: Outbox, listener: Listener
) -> None:
    outbox.add(mood(seq=1, start=NOW + timedelta(days=365), clock="synced"))
    outbox.add(mood(seq=2, start=NOW + timedelta(hours=3), clock="synced"))
    begin()
    clocks = {}
    for _ in range(2):
        payload = json.loads(listener.next("mood").payload)
        clocks[payload["seq"]] = payload["clock"]
    assert clocks == {1: "unsynced", 2: "synced"}
