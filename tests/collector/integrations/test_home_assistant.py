"""Rooms in a Home Assistant, by way of a real broker that may forget everything."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from collector.config import CollectorSettings, HomeAssistant
from collector.integrations import home_assistant
from collector.integrations.home_discovery import HomeRoom, discovery, encode
from collector.live.rooms import Rooms
from collector.run.announcements import Announcements
from collector.service import Service
from edge.protocol.messages import MAX_BYTES
from tests.collector.school import OWN, School
from tests.conftest import KEEPS, Mosquitto, mood
from tests.free import free_port, wait

OWN_PREFIX = "homeassistant/sensor/roommood_school_r101_"
STATE = "roommood/home/school/r101"
ALIVE = "roommood/home/collector"
MOOD = "roommood/v1/school/r101/mood"


class Home:
    """What a Home Assistant on the broker hears, topic by topic; empty messages take back."""

    def __init__(self, port: int) -> None:
        self.retention: dict[str, Any] = {}
        self.count = 0
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.on_connect = self._on_connect
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", port)
        self.client.reconnect_delay_set(1, 1)
        self.client.loop_start()

    def _on_connect(self, *_: Any) -> None:
        self.client.subscribe([("homeassistant/sensor/#", 1), ("roommood/home/#", 1)])

    def _on_message(self, _c: Any, _u: Any, message: Any) -> None:
        self.count += 1
        if not message.payload:
            self.retention.pop(message.topic, None)
            return
        text = message.payload.decode()
        self.retention[message.topic] = json.loads(text) if text.startswith("{") else text

    def entities(self, prefix: str = OWN_PREFIX) -> set[str]:
        return {
            topic.removeprefix(prefix).removesuffix("/config")
            for topic in list(self.retention)
            if topic.startswith(prefix)
        }

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def home(mosquitto: Mosquitto) -> Iterator[Home]:
    hub = Home(mosquitto.port)
    yield hub
    hub.close()


def school(folder: Path, mosquitto: Mosquitto, **changes: Any) -> School:
    settings: dict[str, Any] = {
        "home_assistant": {},
        "retention": KEEPS,
        "rooms": {"r101": {"title": "Room 101"}},
    }
    return School(folder, mosquitto.port, **(settings | changes))


ALL = {"state", "faces", *(mood().counts or ())}


def test_a_room_appears_by_itself(tmp_path: Path, mosquitto: Mosquitto, home: Home) -> None:
    port = free_port()
    web = {"port": port, "url": f"http://127.0.0.1:{port}"}
    with school(tmp_path, mosquitto, web=web):
        home.client.publish(MOOD, mood().encode(), qos=1)
        wait(lambda: home.entities() == ALL and STATE in home.retention)
        announcements = {name: home.retention[f"{OWN_PREFIX}{name}/config"] for name in ALL}
        state = home.retention[STATE]
        assert home.retention[ALIVE] == "online"
    for part in announcements.values():
        assert part["state_topic"] == STATE
        assert part["availability_topic"] == ALIVE
        assert part["icon"].startswith("mdi:")
        assert part["device"]["identifiers"] == ["roommood_school_r101"]
    device = announcements["state"]["device"]
    assert device["name"] == "Room 101 (school)"
    assert device["suggested_area"] == "Room 101"
    assert device["configuration_url"] == f"{web['url']}/rooms/school/r101"
    assert state == {"state": "live", "faces": 12, "counts": mood().counts}
    assert [read(announcements[name], state) for name in ("state", "faces", "happy")] == [
        "live",
        "12",
        "5",
    ]
    # A collector that ended in good order says so.
    wait(lambda: home.retention[ALIVE] == "offline")


def read(part: dict[str, Any], state: dict[str, Any]) -> str:
    """What Home Assistant's templates make of it; None is a state that is not known."""
    template = Environment(autoescape=True).from_string(part["value_template"])
    return template.render(value_json=state)


@pytest.mark.parametrize(
    ("counts", "values"),
    [
        ({"happy": 12, "sad": 0, "uncertain": 0}, {"happy": "12", "sad": "0"}),
        ({"happy": 9, "sad": 0, "other": 3}, {"happy": "9", "sad": "None", "other": "3"}),
        ({"happy": 12, "uncertain": 0, "other": 0}, {"happy": "12", "uncertain": "0"}),
        ({"happy": 12}, {"sad": "None"}),
    ],
)
def test_what_was_merged_is_not_shown_as_none_at_all(
    counts: dict[str, int], values: dict[str, str]
) -> None:
    parts = discovery(ROOM, ("happy", "sad", "uncertain", "other"), "collector")
    by_name = {part["name"].lower(): part for part in parts}
    state = {"state": "live", "faces": 12, "counts": counts}
    assert {name: read(by_name[name], state) for name in values} == values


ROOM = HomeRoom("school", "r101", "r101", None, None)
SLUG = st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True)


@given(
    st.builds(
        HomeRoom,
        SLUG,
        SLUG,
        st.text(min_size=1, max_size=80),
        st.one_of(st.none(), st.text("ab/", max_size=400).map(lambda rest: f"https://x/{rest}")),
        st.one_of(st.none(), st.just("9" * 32)),
    )
)
def test_no_message_is_larger_than_the_broker_lets_pass(room: HomeRoom) -> None:
    for part in discovery(room, ("happy", "uncertain", "other"), "c" * 32):
        assert len(encode(part)) <= MAX_BYTES
        assert part["device"]["name"] == f"{room.title} ({room.site})"  # HA 2025.4 asks for it


def test_all_is_told_again_when_the_broker_forgot_it(
    tmp_path: Path, mosquitto: Mosquitto, home: Home
) -> None:
    with school(tmp_path, mosquitto):
        home.client.publish(MOOD, mood().encode(), qos=1)
        wait(lambda: home.entities() == ALL)
        mosquitto.stop()
        home.retention.clear()
        mosquitto.start()  # without persistence: it has nothing left
        wait(lambda: home.entities() == ALL and STATE in home.retention)
        assert home.retention[ALIVE] == "online"


def test_all_is_told_again_when_home_assistant_comes_back(
    tmp_path: Path, mosquitto: Mosquitto, home: Home
) -> None:
    with school(tmp_path, mosquitto):
        home.client.publish(MOOD, mood().encode(), qos=1)
        wait(lambda: home.entities() == ALL and STATE in home.retention)
        for topic in list(home.retention):
            home.client.publish(topic, b"", qos=1, retain=True)  # whatever took it
        wait(lambda: not home.retention)
        home.client.publish("homeassistant/status", b"offline", qos=1)
        home.client.publish("homeassistant/status", b"online", qos=1)
        wait(lambda: home.entities() == ALL and STATE in home.retention)


def test_a_dead_collector_is_told_by_its_will(
    tmp_path: Path, mosquitto: Mosquitto, home: Home
) -> None:
    states: list[str] = []
    settings = {
        "database": f"sqlite:///{tmp_path}/c.sqlite",
        "state": tmp_path / "state",
        "web": {"port": 0},
        "broker": {"port": mosquitto.port, "protocol": "3.1.1"},  # MQTT 5 waits for ten seconds
        "home_assistant": {},
    }
    service = Service(CollectorSettings.model_validate(settings))
    service.start()
    wait(lambda: home.retention.get(ALIVE) == "online")
    home.client.message_callback_add(ALIVE, lambda _c, _u, m: states.append(m.payload.decode()))
    service.ingest.link.cut()
    wait(lambda: states == ["offline", "online"])
    service.stop()


def test_a_room_that_falls_silent_is_told_without_a_message(
    tmp_path: Path, mosquitto: Mosquitto, home: Home
) -> None:
    now = datetime.now(timezone.utc)
    with school(tmp_path, mosquitto) as server:
        home.client.publish(MOOD, mood(start=now, seconds=0.1, frames=1).encode(), qos=1)
        wait(lambda: home.retention.get(STATE, {}).get("state") == "live")
        rooms = server.service.rooms
        rooms.update_mood(mood(start=now, seconds=0.1, frames=1, seq=1), time.time() - 60)
        wait(lambda: home.retention[STATE]["state"] == "offline")
        assert home.retention[STATE]["faces"] is None


def test_who_else_is_told_of_rooms_hears_of_silence_too() -> None:
    rooms, states = Rooms(), []
    rooms.update_mood(mood(), time.time())
    worker = Announcements({"pages": lambda view: states.append(view.state)}, {}, {}, {}, rooms.all)
    worker.run_once()
    assert states == []  # the first state is no change
    rooms.update_mood(mood(seq=1), time.time() - 3600)
    worker.look_soon()
    worker.run_once()
    worker.look_soon()
    worker.run_once()
    assert states == ["offline"]


def test_an_erased_room_leaves_no_entity_behind(
    tmp_path: Path, mosquitto: Mosquitto, home: Home
) -> None:
    with school(tmp_path, mosquitto) as server:
        home.client.publish(MOOD, mood().encode(), qos=1)
        wait(lambda: home.entities() == ALL and STATE in home.retention)
        server.service.rooms.forget(*OWN)
        server.service.forget(*OWN, whole=True)
        wait(lambda: home.entities() == set() and STATE not in home.retention)


def test_nor_does_one_that_was_erased_while_no_collector_ran(
    tmp_path: Path, mosquitto: Mosquitto, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_assistant, "SETTLES_S", 0.5)
    theirs = {"origin": {"name": "zigbee2mqtt"}, "state_topic": "roommood/home/school/gone"}
    others = {
        "origin": {"name": "roommood"},
        "state_topic": "roommood/home/school/gone",
        "availability_topic": "roommood/home/another",
    }
    for name, part in (("theirs", theirs), ("others", others)):
        home.client.publish(f"homeassistant/sensor/{name}/config", json.dumps(part), 1, True)
    for part in discovery(HomeRoom("school", "gone", "x", None, None), ("sad",), "collector"):
        topic = f"homeassistant/sensor/{part['unique_id']}/config"
        home.client.publish(topic, encode(part), 1, True)
    prefix = "homeassistant/sensor/roommood_school_gone_"
    wait(lambda: len(home.entities(prefix)) == 3)
    with school(tmp_path, mosquitto):
        home.client.publish(MOOD, mood().encode(), qos=1)
        wait(lambda: home.entities(prefix) == set())
        wait(lambda: home.entities() == ALL)
        assert {"theirs", "others"} < home.entities("homeassistant/sensor/")


def test_a_school_may_show_states_alone(
    tmp_path: Path, mosquitto: Mosquitto, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with school(tmp_path, mosquitto):
        home.client.publish(MOOD, mood().encode(), qos=1)
        wait(lambda: home.entities() == ALL)
    monkeypatch.setattr(home_assistant, "SETTLES_S", 0.5)
    with school(tmp_path, mosquitto, home_assistant={"entities": "state"}):
        wait(lambda: home.entities() == {"state"})
        wait(lambda: set(home.retention[STATE]) == {"state"})


def home_of(rooms: Rooms, topics: list[str], **settings: Any) -> home_assistant.HomeAssistantRooms:
    """Without a broker; `topics` gets those that are published on."""
    return home_assistant.HomeAssistantRooms(
        HomeAssistant(**settings),
        "collector",
        lambda topic, _payload: topics.append(topic),
        rooms,
        lambda view: HomeRoom(view.site, view.room, view.room, None, None),
    )


@pytest.mark.parametrize(("entities", "messages"), [("all", 5001), ("state", 1001)])
def test_five_hundred_rooms_with_states_alone_are_two_messages_each(
    entities: Literal["all", "state"], messages: int
) -> None:
    """Nine entities and their state, and once that the collector lives; nothing the second time."""
    topics: list[str] = []
    rooms = Rooms()
    six = dict.fromkeys(("angry", "fear", "happy", "neutral", "sad", "surprise", "uncertain"), 3)
    for number in range(500):
        rooms.update_mood(mood(room=f"r{number}", counts=six, faces=21), time.time())
    home = home_of(rooms, topics, entities=entities)
    for _ in range(2):
        home.look()
        while home.look():
            pass
    home.up()
    assert len(topics) == messages


def test_a_label_that_is_new_is_announced() -> None:
    parts = discovery(ROOM, ("bored",), "collector")
    assert parts[-1]["unique_id"] == "roommood_school_r101_bored"


@pytest.mark.parametrize(
    ("prefix", "births"),
    [
        ("homeassistant", {"homeassistant/status"}),
        ("school/ha", {"school/ha/status", "homeassistant/status"}),
    ],
)
def test_home_assistant_is_heard_whatever_the_prefix(prefix: str, births: set[str]) -> None:
    messages: list[str] = []
    rooms = Rooms()
    rooms.update_mood(mood(), time.time())
    home = home_of(rooms, messages, prefix=prefix)
    assert {topic for topic in home.topics if topic.endswith("/status")} == births
    home.look()
    for topic in births:
        messages.clear()
        home.receive(topic, b"online")
        home.look()
        assert messages, topic


@pytest.mark.parametrize("payload", [b"[" * 5000, b'{"a":' * 5000, b"{", b"\xff", b"1", b""])
def test_a_strange_retained_message_is_somebody_elses(payload: bytes) -> None:
    home = home_of(Rooms(), [])
    home.receive("homeassistant/sensor/x/config", payload)
    assert not home.look()
