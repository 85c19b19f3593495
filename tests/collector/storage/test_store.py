from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from collector.storage.database import connect
from collector.storage.store import Store
from edge.common.errors import UserError
from tests.conftest import mood

START = mood().start


@pytest.fixture
def store(engine: Engine) -> Store:
    return Store(engine)


def test_a_window_comes_back_as_it_was(store: Store) -> None:
    window = mood(start=START + timedelta(milliseconds=123))
    withheld_window = mood(seq=1, faces=None, counts=None, withheld="few_faces")
    assert store.add([window, withheld_window]) == [window, withheld_window]
    assert store.between("school", "r101", START, START + timedelta(hours=1)) == [
        withheld_window,
        window,
    ]


def test_storing_twice_changes_nothing(store: Store) -> None:
    assert len(store.add([mood(), mood()])) == 1
    assert store.add([mood(faces=None, counts=None, withheld="paused")]) == []
    rows = store.between("school", "r101", START, START + timedelta(hours=1))
    assert rows == [mood()]


def test_another_boot_or_device_is_another_window(store: Store) -> None:
    assert len(store.add([mood(), mood(boot=uuid4()), mood(device="spare")])) == 3


def test_the_span_is_half_open_and_the_newest_are_kept(store: Store) -> None:
    windows = [mood(seq=n, start=START + timedelta(seconds=15 * n)) for n in range(6)]
    store.add(windows)
    end = START + timedelta(seconds=60)
    assert store.between("school", "r101", START, end) == windows[:4]
    assert store.between("school", "r101", START, end, limit=2) == windows[2:4]
    assert store.between("school", "r102", START, end) == []


def test_the_newest_window_of_every_room(store: Store) -> None:
    here = [mood(seq=n, start=START + timedelta(seconds=n)) for n in range(3)]
    there = mood(room="r102", device="r102")
    store.add([*here, there])
    assert {row.mood.room: row.mood.seq for row in store.latest()} == {"r101": 2, "r102": 0}
    now = datetime.now(timezone.utc).timestamp()
    assert all(abs(row.received - now) < 60 for row in store.latest())


def test_two_writers_store_each_window_once(store: Store) -> None:
    windows = [mood(seq=n) for n in range(50)]
    new: list[int] = []

    def write() -> None:
        new.extend(len(store.add([window])) for window in windows)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sum(new) == 50


def test_a_merged_window_takes_the_place_of_those_it_stands_for(store: Store) -> None:
    windows = [mood(seq=n, start=START + timedelta(seconds=15 * n)) for n in range(5)]
    store.add([windows[0], windows[1], windows[4]])  # 1 was stored, its acknowledgement lost
    both = mood(seq=2, start=windows[1].start, seconds=30.0, windows=2)
    assert store.add([both, both]) == [both]
    assert store.add([windows[1], windows[2]]) == []  # late, from the broker's queue
    coarser = mood(seq=3, start=windows[1].start, seconds=45.0, windows=3)
    assert store.add([coarser]) == [coarser]
    rows = store.between("school", "r101", START, START + timedelta(hours=1))
    assert rows == [windows[0], coarser, windows[4]]


@pytest.mark.parametrize(
    "url",
    ["sqlite:////nowhere/at/all.sqlite", "postgresql+psycopg://u:hunter2@127.0.0.1:1/roommood"],
)
def test_a_database_that_does_not_open_is_named_without_its_password(url: str) -> None:
    with pytest.raises(UserError, match=r"database .*(all\.sqlite|127\.0\.0\.1).*check") as refusal:
        connect(url)
    assert "hunter2" not in str(refusal.value)


def test_numbers_may_be_as_large_as_the_contract_says(store: Store) -> None:
    last = mood(seq=2**53 - 1)
    assert store.add([last]) == [last]
    assert store.between("school", "r101", last.start, last.start + timedelta(days=1)) == [last]


def test_the_newest_window_is_not_the_backlog_that_came_after_it(store: Store) -> None:
    store.add([mood(seq=5)])
    store.add([mood(seq=seq) for seq in range(5)])
    assert [row.mood.seq for row in store.latest()] == [5]
