from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest

from collector.live.rooms import BACKLOG, Rooms, state_of
from collector.storage.store import StoredSummary
from edge.protocol.messages import Mood, State, Status
from tests.conftest import BOOT, mood


def status(state: State = "online") -> Status:
    return Status(
        schema="roommood.status/1",
        site="school",
        room="r101",
        device="r101",
        boot=BOOT,
        state=state,
        at=datetime.now(timezone.utc),
    )


FEW_FACES = mood(faces=None, counts=None, withheld="few_faces")
PAUSE = mood(faces=None, counts=None, withheld="paused")


@pytest.mark.parametrize(
    ("window", "age", "outcome", "state"),
    [
        (None, 0, None, "offline"),
        (None, 0, status(), "waiting"),
        (mood(), 10, status(), "live"),
        (mood(), 10, None, "live"),
        (FEW_FACES, 10, status(), "withheld"),
        (PAUSE, 10, status(), "paused"),
        (mood(), 10, status("paused"), "paused"),
        (mood(), 10, status("offline"), "offline"),
        (mood(), 46, status(), "offline"),
        (mood(seconds=1.0), 25, status(), "live"),
    ],
)
def test_the_state_of_a_room(
    window: Mood | None, age: float, outcome: Status | None, state: str
) -> None:
    assert state_of(window, 1000 - age, outcome, 1000) == state


def test_an_old_window_that_comes_late_does_not_replace_the_newest() -> None:
    rooms = Rooms()
    newest = mood(seq=2)
    assert rooms.update_mood(newest, 1000)
    assert not rooms.update_mood(mood(seq=1, start=newest.start - timedelta(minutes=1)), 1001)
    assert rooms.view("school", "r101").mood == newest


def test_a_viewer_is_told_what_is_known_then_every_change() -> None:
    async def watch() -> list[str]:
        rooms = Rooms()
        rooms.serve_on(asyncio.get_running_loop())
        rooms.update_status(status())
        rooms.update_mood(mood(), 1000)
        await asyncio.sleep(0)  # what is known before a viewer comes is told to nobody yet
        events: list[str] = []
        async for event in rooms.feed("school", "r101"):
            events.append(event.name)
            if len(events) == 2:
                rooms.update_mood(mood(seq=1), 1015)
                rooms.update_mood(mood(room="r102"), 1015)
                rooms.update_status(status("paused"))
            if len(events) == 4:
                rooms.close()
        return events

    assert asyncio.run(watch()) == ["status", "mood", "mood", "status"]


def test_a_slow_viewer_loses_the_oldest_events_only() -> None:
    async def watch() -> list[str]:
        rooms = Rooms()
        rooms.serve_on(asyncio.get_running_loop())
        feed = rooms.feed("school", "r101")
        rooms.update_mood(mood(seq=0), 1000)
        await anext(feed)
        for seq in range(1, BACKLOG + 10):
            rooms.update_mood(mood(seq=seq), 1000)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return [(await anext(feed)).data for _ in range(BACKLOG)]

    results = asyncio.run(watch())
    assert f'"seq":{BACKLOG + 9}' in results[-1]
    assert '"seq":10' in results[0]


def test_a_clock_that_is_set_back_does_not_stop_the_page() -> None:
    rooms = Rooms()
    for seq, days in enumerate((0, 1, -1, 0)):
        at = mood().start + timedelta(days=days, seconds=15 * seq)
        assert rooms.update_mood(mood(seq=seq, start=at), 0)
    late = mood(seq=2, start=mood().start + timedelta(days=9))
    assert not rooms.update_mood(late, 0)


def test_what_an_earlier_run_left_behind_is_not_news() -> None:
    rooms = Rooms()
    rooms.update_status(status())
    now, before = mood(seq=0), mood(seq=70, boot=uuid4(), start=mood().start + timedelta(days=1))
    assert rooms.update_mood(now, 0)
    assert not rooms.update_mood(before, 0)
    assert rooms.view("school", "r101").mood == now


def test_a_new_run_is_news_whatever_its_clock() -> None:
    rooms = Rooms()
    rooms.update_mood(mood(seq=70, boot=uuid4()), 0)
    rooms.update_status(status())
    assert rooms.update_mood(mood(start=mood().start - timedelta(days=9)), 0)


def test_a_window_that_was_erased_on_its_way_is_not_remembered() -> None:
    rooms = Rooms(lambda window: window.seq == 1)
    assert rooms.update_mood(mood(seq=0), 1e9)
    assert not rooms.update_mood(mood(seq=1), 1e9)
    view = rooms.view("school", "r101")
    assert view.mood == mood(seq=0)
    assert [one.seq for one in rooms.windows("school", "r101")] == [0]


def test_what_is_erased_while_it_is_read_does_not_come_back() -> None:
    rooms, now = Rooms(), 1_800_000_000.0
    old = StoredSummary(str(BOOT), 0, now - 60, now - 60, 15.0, 20, {"happy": 20}, None, "m")
    answers = [[old], []]

    def read() -> list[StoredSummary]:
        rows = answers.pop(0)
        if rows:
            rooms.forget("school", "r101", now - 70, now - 50)
        return rows

    rooms.remember("school", "r101", read)
    rooms.update_mood(mood(seq=1, start=datetime.fromtimestamp(now, timezone.utc)), now)
    assert [one.seq for one in rooms.windows("school", "r101")] == [1]
    assert answers == []
