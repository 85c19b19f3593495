"""The publisher against a real Mosquitto."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.common.broker import WILL_WAITS_S, BrokerSettings
from edge.outbox.store import Outbox
from edge.protocol.messages import Ack, Command
from edge.transport.publisher import RESEND_S, Publisher
from tests.conftest import BOOT, Mosquitto, mood
from tests.edge.transport.publishers import BASE, Listener, publisher_of
from tests.free import wait


@pytest.fixture(params=["3.1.1", "5"])
def start(
    request: pytest.FixtureRequest, mosquitto: Mosquitto, outbox: Outbox
) -> Iterator[Callable[[Callable[[Command], None]], Publisher]]:
    publishers: list[Publisher] = []

    def publisher(on_command: Callable[[Command], None] = lambda _c: None) -> Publisher:
        settings = BrokerSettings(port=mosquitto.port, protocol=request.param)
        publishers.append(publisher_of(settings, outbox, on_command=on_command))
        publishers[-1].start()
        return publishers[-1]

    yield publisher
    for one in publishers:
        one.stop(0.1)


def acknowledge(listener: Listener, seq: int) -> None:
    listener.client.publish(f"{BASE}/ack", Ack(boot=BOOT, seq=seq).encode(), qos=1)


def test_a_window_is_kept_until_acknowledged(
    start: Callable[..., Publisher], outbox: Outbox, listener: Listener
) -> None:
    outbox.add(mood())
    start()
    assert json.loads(listener.next("status").payload)["state"] == "online"
    message = listener.next("mood")
    assert message.payload == mood().encode()
    assert message.qos == 1
    time.sleep(0.2)
    assert len(outbox) == 1
    acknowledge(listener, 0)
    wait(lambda: len(outbox) == 0)


def test_only_the_newest_of_a_backlog_is_retained(
    start: Callable[..., Publisher], outbox: Outbox, listener: Listener, mosquitto: Mosquitto
) -> None:
    for seq in range(3):
        outbox.add(mood(seq=seq))
    start()
    assert [json.loads(listener.next("mood").payload)["seq"] for _ in range(3)] == [0, 1, 2]
    late = Listener(mosquitto.port)
    retained = late.next("mood")
    late.close()
    assert retained.retain
    assert json.loads(retained.payload)["seq"] == 2


@pytest.mark.once  # which window goes first is decided by our queue; paho is the same on both
def test_a_backlog_of_six_hours_does_not_hold_up_the_newest_window(
    start: Callable[..., Publisher], outbox: Outbox, listener: Listener
) -> None:
    for seq in range(1440):
        outbox.add(mood(seq=seq))
    numbers: list[int] = []

    def collect(_client: object, _user: object, message: Any) -> None:
        if message.topic.endswith("/mood"):
            numbers.append(json.loads(message.payload)["seq"])
            acknowledge(listener, numbers[-1])

    listener.client.on_message = collect
    publisher = start()
    wait(lambda: len(numbers) > 200)
    outbox.add(mood(seq=5000))
    publisher.wake()
    wait(lambda: len(outbox) == 0, 60)
    assert numbers[0] == 1439
    assert set(numbers) == {*range(1440), 5000}
    assert numbers.index(5000) < 1000  # long before the backlog was through


def test_what_waited_during_an_outage_is_sent_after_it(
    start: Callable[..., Publisher], outbox: Outbox, listener: Listener, mosquitto: Mosquitto
) -> None:
    publisher = start()
    listener.next("status")
    mosquitto.stop()
    outbox.add(mood(seq=1))
    publisher.wake()
    time.sleep(0.3)
    mosquitto.start()
    wait(listener.client.is_connected)
    listener.client.subscribe("roommood/#", qos=1)
    assert json.loads(listener.next("mood").payload)["seq"] == 1


def test_what_a_deaf_collector_missed_is_sent_again_once_it_hears(
    start: Callable[..., Publisher], outbox: Outbox, listener: Listener
) -> None:
    """As after an outage, when the agent is back at the broker before the collector is."""
    publisher = start()
    listener.next("status")
    for seq in range(3):
        outbox.add(mood(seq=seq))
        publisher.wake()
        assert json.loads(listener.next("mood").payload)["seq"] == seq
    acknowledge(listener, 2)
    again = {json.loads(listener.next("mood", RESEND_S / 2).payload)["seq"] for _ in range(2)}
    assert again == {0, 1}


def test_it_says_goodbye_and_the_broker_says_it_after_a_crash(
    start: Callable[..., Publisher], listener: Listener
) -> None:
    publisher = start()
    assert json.loads(listener.next("status").payload)["state"] == "online"
    publisher.say("paused")
    assert json.loads(listener.next("status").payload)["state"] == "paused"
    publisher.link._stopping.set()  # as a crash would: no DISCONNECT is sent, nobody comes back
    publisher.link._client.loop_stop()
    publisher.link.cut()
    assert json.loads(listener.next("status", WILL_WAITS_S + 30).payload)["state"] == "offline"


def test_commands_are_obeyed_and_nonsense_is_not(
    start: Callable[..., Publisher], outbox: Outbox, listener: Listener
) -> None:
    obeyed_commands: list[str] = []
    start(lambda command: obeyed_commands.append(command.command))
    listener.next("status")
    outbox.add(mood(seq=4))
    for payload in (b"{}", b'{"command": "photograph"}', b"\xff", b'{"command": "pause"}'):
        listener.client.publish(f"{BASE}/command", payload, qos=1)
    listener.client.publish(f"{BASE}/ack", b'{"boot": 1}', qos=1)
    wait(lambda: obeyed_commands == ["pause"])
    assert len(outbox) == 1


def test_orders_to_others_are_none_of_ours(
    start: Callable[..., Publisher], listener: Listener
) -> None:
    """Some brokers send a new client what somebody else subscribed to."""
    obeyed_commands: list[str] = []
    publisher = start(lambda command: obeyed_commands.append(command.command))
    listener.next("status")
    for name in ("school/r102/command", "school/r101/status", "other/r101/command"):
        publisher.receive(f"roommood/v1/{name}", b'{"command": "pause"}')
    assert obeyed_commands == []
    publisher.receive(f"{BASE}/command", b'{"command": "pause"}')
    assert obeyed_commands == ["pause"]


def test_stop_waits_for_the_last_acknowledgement(
    start: Callable[..., Publisher], outbox: Outbox, listener: Listener
) -> None:
    publisher = start()
    listener.next("status")
    listener.client.on_message = lambda _c, _u, message: (
        acknowledge(listener, 9) if message.topic.endswith("/mood") else None
    )
    outbox.add(mood(seq=9))
    publisher.wake()
    publisher.stop(3)
    assert len(outbox) == 0


def test_windows_of_the_room_before_go_to_its_own_topic(
    start: Callable[..., Publisher], outbox: Outbox, listener: Listener
) -> None:
    """A device that was moved: what it counted there is of there."""
    for seq in range(100):
        outbox.add(mood(seq=seq, room="r7"))
    outbox.add(mood(seq=100))
    start()
    assert json.loads(listener.next("mood").payload)["seq"] == 100  # not behind the others
    numbers: set[int] = set()
    while len(numbers) < 100:
        message = listener.messages.get(timeout=30)
        if message.topic == "roommood/v1/school/r7/mood":
            assert not message.retain
            seq = json.loads(message.payload)["seq"]
            numbers.add(seq)
            ack = Ack(boot=BOOT, seq=seq).encode()
            listener.client.publish("roommood/v1/school/r7/ack", ack, qos=1)
    acknowledge(listener, 100)
    wait(lambda: len(outbox) == 0)


def test_a_certificate_speaks_of_its_own_room_alone(
    mosquitto: Mosquitto, outbox: Outbox, listener: Listener, tmp_path: Path
) -> None:
    for seq in range(100):
        outbox.add(mood(seq=seq, room="r7"))
    publisher = publisher_of(BrokerSettings(port=mosquitto.port), outbox)
    publisher._may_speak_of_others = False  # as with settings that name a certificate
    publisher.start()
    outbox.add(mood(seq=100))
    publisher.wake()
    assert json.loads(listener.next("mood").payload)["seq"] == 100
    wait(lambda: "windows of school/r7 wait" in publisher.problem())
    publisher.stop(0.1)
    left = [listener.messages.get() for _ in range(listener.messages.qsize())]
    assert not [m for m in left if "/r7/" in m.topic]
    assert len(outbox) == 101


def test_the_collector_may_ask_for_windows_again(
    start: Callable[..., Publisher], outbox: Outbox, listener: Listener
) -> None:
    for seq in range(3):
        outbox.add(mood(seq=seq))
        outbox.remove(BOOT, seq)
    publisher = start()
    wait(lambda: publisher.link.is_connected)
    listener.next("status")
    resend = Command(command="resend", since=mood().start).encode()
    listener.client.publish(f"{BASE}/command", resend, qos=1)
    assert sorted(json.loads(listener.next("mood").payload)["seq"] for _ in range(3)) == [0, 1, 2]
