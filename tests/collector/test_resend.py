"""What was stored after a backup comes again from the devices once it is restored; none twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select

from collector.ingest.resend import ResendRequests
from collector.retention.backup import backup
from collector.retention.restore import restore
from collector.storage.database import begin, connect
from collector.storage.resend_mark import mark
from collector.storage.tables import moods
from edge.common.broker import BrokerSettings
from edge.outbox.store import Outbox
from edge.protocol.messages import Command, Status
from edge.transport.publisher import Publisher
from tests.collector.school import School
from tests.conftest import BOOT, Mosquitto, mood
from tests.edge.transport.publishers import publisher_of
from tests.free import wait
from tests.postgres import Postgres

pytestmark = pytest.mark.once


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> Callable[[], str]:
    numbers = iter(range(9))
    if request.param == "postgresql":
        return postgres.fresh
    return lambda: f"sqlite:///{tmp_path}/c{next(numbers)}.sqlite"


@pytest.fixture
def device(mosquitto: Mosquitto, tmp_path: Path) -> Iterator[tuple[Outbox, Publisher]]:
    outbox = Outbox(tmp_path / "device" / "o.sqlite")
    publisher = publisher_of(BrokerSettings(port=mosquitto.port), outbox)
    publisher.start()
    yield outbox, publisher
    publisher.stop(0.1)
    outbox.close()


def test_windows_come_again_after_a_restore(
    fresh: Callable[[], str],
    device: tuple[Outbox, Publisher],
    mosquitto: Mosquitto,
    tmp_path: Path,
) -> None:
    outbox, publisher = device
    begin = datetime.now(timezone.utc) - timedelta(minutes=20)

    def sends(first: int, last: int) -> None:
        for seq in range(first, last):
            outbox.add(mood(seq=seq, start=begin + timedelta(seconds=15 * seq)))
        publisher.wake()
        wait(lambda: len(outbox) == 0)  # acknowledged, each of them

    first, second = fresh(), fresh()
    with School(tmp_path, mosquitto.port, database=first) as school:
        sends(0, 30)
        backup(school.engine, school.settings.state, tmp_path / "b.tar.gz")
        sends(30, 70)
    engine = connect(second)
    restore(engine, tmp_path / "state2", tmp_path / "b.tar.gz")
    assert _numbers(second) == list(range(30))
    engine.dispose()
    with School(tmp_path, mosquitto.port, database=second, state=tmp_path / "state2"):
        publisher.say("online")
        wait(lambda: _numbers(second) == list(range(70)))
        wait(lambda: len(outbox) == 0)
        publisher.say("online")  # asked once, it is not asked again
        sends(70, 71)
        assert _numbers(second) == list(range(71))


def test_a_wish_that_comes_between_two_statuses_is_not_lost(fresh: Callable[[], str]) -> None:
    """A command beside the collector writes where the collector notes whom it has asked."""
    engine, wishes = connect(fresh()), list[tuple[str, float]]()

    def send(_site: str, room: str, command: Command) -> None:
        assert command.since is not None
        wishes.append((room, command.since.timestamp()))

    def want(since: float) -> None:
        with begin(engine) as connection:
            mark(connection, since)

    now = float(int(time.time()))
    want(now - 100)
    requests = ResendRequests(engine, send)
    requests.update(_status("r101"))
    want(now - 5000)  # known to nobody but the database yet
    requests.update(_status("r102"))
    requests.update(_status("r101"))
    assert wishes == [("r101", now - 100), ("r102", now - 5000), ("r101", now - 5000)]
    want(now - 10)  # less than is wanted already
    again = ResendRequests(engine, send)  # the next start
    again.update(_status("r102"))
    assert wishes[3:] == [("r102", now - 5000)]
    engine.dispose()


def _status(room: str) -> Status:
    fields = {"schema": "roommood.status/1", "site": "school", "room": room, "device": room}
    now = datetime.now(timezone.utc)
    return Status.model_validate(fields | {"boot": BOOT, "state": "online", "at": now})


def _numbers(url: str) -> list[int]:
    engine = connect(url)
    with engine.connect() as connection:
        rows = connection.execute(select(moods.c.seq).order_by(moods.c.seq)).scalars().all()
    engine.dispose()
    return list(rows)
