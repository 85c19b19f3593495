"""Garbage on every topic, into the collector's own path from message to store.

`GARBAGE=100000 pytest tests/collector/test_garbage.py` tries more than the suite does.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from collector.ingest.ingest import Ingest
from collector.live.rooms import Rooms
from collector.storage.database import connect
from collector.storage.store import Store
from collector.storage.tables import moods
from edge.common.broker import BrokerSettings
from edge.protocol.messages import MessageError, Mood, Status, decode
from tests.conftest import mood

pytestmark = pytest.mark.once

CASES = int(os.environ.get("GARBAGE", "1000"))

VALID: dict[str, Any] = json.loads(mood().encode())


class Message(NamedTuple):
    topic: str
    payload: bytes


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@st.composite
def nearly(draw: st.DrawFn) -> bytes:
    """A mood with a field changed, taken out or put in."""
    content = dict(VALID)
    field = draw(st.sampled_from(list(content)) | st.text(max_size=12))
    if draw(st.booleans()):
        content.pop(field, None)
    else:
        content[field] = draw(JSON)
    return json.dumps(content).encode("utf-8", "surrogatepass")


TOPICS = st.one_of(
    st.sampled_from(
        [
            *("roommood/v1/school/r101/mood", "roommood/v1/school/r101/status"),
            *("roommood/v1/school/r102/mood", "roommood/v1/+/#/mood", "roommood/v1///mood"),
        ]
    ),
    st.text(max_size=60),
)
PAYLOADS = st.one_of(st.binary(max_size=1100), nearly(), JSON.map(lambda x: json.dumps(x).encode()))


def is_good(message: Message) -> bool:
    """Whether it is a message of ours after all, of the room whose topic it has."""
    room = "roommood/v1/school/r101"
    try:
        if message.topic == f"{room}/mood":
            mood_of = decode(Mood, message.payload)
            return (mood_of.site, mood_of.room) == ("school", "r101")
        if message.topic == f"{room}/status":
            status_of = decode(Status, message.payload)
            return (status_of.site, status_of.room) == ("school", "r101")
    except MessageError:
        pass
    return False


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ingest, Engine, list[Mood]]:
    """With what it would store, which nobody writes down here."""
    folder: Path = tmp_path_factory.mktemp("collector")
    engine = connect(f"sqlite:///{folder}/c.sqlite")
    ingest = Ingest(BrokerSettings(), "test", Store(engine), Rooms(), CollectorRegistry())
    queue: list[Mood] = []

    def put(mood: Mood) -> bool:
        queue.append(mood)
        return True

    ingest.writer.put = put  # type: ignore[method-assign]  # nobody takes from the queue
    return ingest, engine, queue


@settings(
    max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.builds(Message, TOPICS, PAYLOADS))
def test_garbage_crashes_nothing_and_leaves_no_row(
    collector: tuple[Ingest, Engine, list[Mood]], message: Message
) -> None:
    ingest, engine, queue = collector
    queue.clear()
    ingest.receive(*message)
    if is_good(message):
        return
    assert queue == []
    with engine.connect() as connection:
        assert connection.execute(moods.select().limit(1)).first() is None
