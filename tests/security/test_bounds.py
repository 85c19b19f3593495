"""One device, whatever it sends, fills no disk."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta, timezone

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, create_engine

from collector.config import Retention
from collector.ingest import bounds
from collector.ingest.bounds import Bounds, check_time
from collector.ingest.ingest import Ingest
from collector.ingest.rejections import FEW, MOST, PERIOD_S, Rejections
from collector.live.own_clock import OwnClock
from collector.live.rooms import Rooms
from collector.retention.worker import RetentionWorker
from collector.storage.store import Store
from collector.storage.tables import metadata
from edge.common.broker import BrokerSettings
from edge.protocol.messages import MessageError, Status
from tests.conftest import BOOT, mood


@pytest.fixture
def engine() -> Engine:
    new_engine = create_engine("sqlite://")
    metadata.create_all(new_engine)
    return new_engine


@pytest.mark.long
@pytest.mark.once  # a day of windows, counted; the bounds themselves are tried on both below
def test_a_rooms_windows_are_bounded_by_rate_and_by_day(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    taking = Bounds()

    def accept(count: int, room: str = "r101") -> int:
        return sum(taking.take(f"roommood/v1/school/{room}/mood") for _ in range(count))

    assert accept(3000) == bounds.BURST
    assert accept(100, "r102") == 100  # another room's are its own
    now[0] += 5
    assert accept(3000) == 5 * bounds.A_SECOND
    total = bounds.BURST + 5 * bounds.A_SECOND
    for _ in range(86_400 // 100):  # a whole day of as many as there can be
        now[0] += 100
        total += accept(1500)
    assert total <= 2 * bounds.A_DAY + bounds.BURST


@pytest.mark.parametrize("year", [2027 + 73, 2199])
def test_a_window_of_the_far_future_is_refused(year: int) -> None:
    with pytest.raises(MessageError, match="in the future"):
        check_time(mood(start=datetime(year, 1, 1, tzinfo=timezone.utc)))
    check_time(mood(start=datetime.now(timezone.utc) + timedelta(days=2)))


def test_retention_goes_by_our_clock_too(engine: Engine) -> None:
    """Whatever year a window says: it goes so many days after it came."""
    store = Store(engine)
    store.add([mood(start=datetime(2199, 1, 1, tzinfo=timezone.utc))])
    retention = RetentionWorker(engine, lambda _: Retention(windows_days=30))
    assert retention.round(time.time() + 29 * 86_400) == 0
    assert retention.round(time.time() + 31 * 86_400) == 1


def test_what_is_rejected_fills_no_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By one sender, and by as many topics as there may be."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    rejections = Rejections(logging.getLogger("test"))
    error = MessageError("start: in the future")
    for _ in range(10_000):
        rejections.add("roommood/v1/school/r101/mood", error)
    assert len(caplog.records) == FEW
    assert caplog.messages[-1].endswith("others of this topic are counted for ten minutes")
    now[0] += PERIOD_S + 1
    rejections.add("roommood/v1/school/r102/mood", error)
    assert caplog.messages[FEW:] == [
        f"roommood/v1/school/r101/mood: rejected: {10_000 - FEW} more",
        "roommood/v1/school/r102/mood: rejected: start: in the future",
    ]
    caplog.clear()
    for number in range(2 * MOST):
        rejections.add(f"roommood/v1/school/r{number}/mood", error)
    assert len(caplog.records) <= MOST + FEW


@pytest.mark.parametrize("message", ["status", "expired window", "nonsense"])
def test_a_device_that_floods_its_topics_takes_no_time_of_others(message: str) -> None:
    """What is too much is not even read; another room's is reads as before."""
    messages: list[object] = []
    registry = CollectorRegistry()
    store = Store(create_engine("sqlite://"))
    clock = OwnClock()
    clock.hear(("school", "r102"), time.time())  # else what seems old is stored
    ingest = Ingest(BrokerSettings(), "x", store, Rooms(), registry, messages.append, clock=clock)
    kind = "status" if message == "status" else "mood"
    status = Status.model_validate(
        {
            **{"schema": "roommood.status/1", "site": "school", "room": "r101", "device": "r101"},
            **{"boot": BOOT, "state": "online", "at": datetime.now(timezone.utc), "health": None},
        }
    )
    payload = {
        "status": status.encode(),
        "expired window": mood(start=datetime(2001, 1, 1, tzinfo=timezone.utc)).encode(),
        "nonsense": b"{",
    }[message]
    for _ in range(5000):
        ingest.receive(f"roommood/v1/school/r101/{kind}", payload)
    results = {
        sample.labels["result"]: sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "roommood_messages_total" and sample.labels["kind"] == kind
    }
    reads = sum(count for result, count in results.items() if result != "deferred")
    burst, a_second = bounds.STATUSES if kind == "status" else (bounds.BURST, bounds.A_SECOND)
    assert burst <= reads <= burst + 60 * a_second
    assert results["deferred"] == 5000 - reads
    assert len(messages) == (reads if message == "status" else 0)
    other = status.model_copy(update={"room": "r102", "device": "r102"})
    ingest.receive("roommood/v1/school/r102/status", other.encode())
    assert [getattr(one, "room", None) for one in messages[-1:]] == ["r102"]


def test_the_topics_that_are_remembered_are_bounded() -> None:
    taking = Bounds()
    for number in range(2 * bounds.MOST_TOPICS):
        assert taking.take(f"roommood/v1/school/r{number}/status")
    assert len(taking) == bounds.MOST_TOPICS
    assert taking.take("roommood/v1/school/r0/status")
