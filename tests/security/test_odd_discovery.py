"""What anybody may leave on the broker for Home Assistant keeps no room of ours from its order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.integrations import home_assistant
from collector.integrations.home_discovery import HomeRoom, discovery, encode
from collector.live.rooms import Rooms
from tests.collector.integrations.test_home_assistant import Home, home_of
from tests.collector.school import School
from tests.conftest import Mosquitto
from tests.free import wait

pytestmark = pytest.mark.once

OURS = {"origin": {"name": "roommood"}, "availability_topic": "roommood/home/collector"}
ODD_ENDS = ("a/+", "#/a", "a/#", "a/b\0", "\ud800/a", "/", "a/", "é/a", f"a/{'x' * 70_000}")
ODD_TOPICS: list[Any] = [
    *(f"roommood/home/{end}" for end in ODD_ENDS),
    *("a/+", "", None, 5, [], {}, True, [["roommood/home/a/b"]]),
]


@pytest.fixture
def home(mosquitto: Mosquitto) -> Iterator[Home]:
    one = Home(mosquitto.port)
    yield one
    one.close()


@pytest.mark.parametrize("odd", [OURS | {"state_topic": one} for one in ODD_TOPICS], ids=range(17))
def test_whatever_a_message_says_it_belongs_to_no_room(
    odd: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_assistant, "SETTLES_S", 0.0)
    topics: list[str] = []
    rooms = home_of(Rooms(), topics)
    rooms.up()
    rooms.receive("homeassistant/sensor/odd/config", json.dumps(odd).encode())
    rooms.look()
    assert topics == ["roommood/home/collector"]


def test_rooms_that_are_gone_are_tidied_beside_odd_ones(
    tmp_path: Path, mosquitto: Mosquitto, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_assistant, "SETTLES_S", 0.5)
    for number, topic in enumerate(("a/+", "#/a", "a/\0")):
        content = json.dumps(OURS | {"state_topic": f"roommood/home/{topic}"})
        home.client.publish(f"homeassistant/sensor/{number}/config", content, 1, True)
    for part in discovery(HomeRoom("school", "gone", "x", None, None), ("sad",), "collector"):
        topic = f"homeassistant/sensor/{part['unique_id']}/config"
        home.client.publish(topic, encode(part), 1, True)
    prefix = "homeassistant/sensor/roommood_school_gone_"
    wait(lambda: len(home.entities(prefix)) == 3)
    with School(tmp_path, mosquitto.port, home_assistant={}):
        wait(lambda: home.entities(prefix) == set())
        assert {"0", "1", "2"} <= home.entities("homeassistant/sensor/")  # nobody's business
