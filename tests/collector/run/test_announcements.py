"""Who cannot be told of a room is told later, whatever he is told of others meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from collector.live.rooms import RoomView
from collector.run.announcements import Announcement, Announcements
from tests.conftest import mood
from tests.free import wait


class Listener:
    """Told of rooms, but not of those that it is closed to."""

    def __init__(self) -> None:
        self.rooms: list[str] = []
        self.closed: set[str] = set()

    def show(self, view: RoomView) -> None:
        if view.room in self.closed:
            raise OSError("no room left on device")
        self.rooms.append(view.room)

    def forget(self, view: RoomView) -> None:
        self.rooms = [room for room in self.rooms if room != view.room]


def announce(announcements: Announcements, *rooms: str, is_erasure: bool = False) -> None:
    for room in rooms:
        view = RoomView("school", room, "live", mood(room=room), None)
        announcements.put(Announcement(None if is_erasure else mood(room=room), view))


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def announcements(listener: Listener) -> Iterator[Announcements]:
    worker = Announcements({"pages": listener.show}, {}, {}, {"pages": listener.forget})
    worker.start()
    yield worker
    worker.stop()


def test_a_room_that_could_not_be_told_is_told_though_others_were(
    announcements: Announcements, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "collector.run.announcements")
    listener.closed = {"r1", "r2"}
    announce(announcements, "r1", "r2", "r3")
    wait(lambda: listener.rooms == ["r3"])
    assert announcements.problem() == "pages: no room left on device"
    listener.closed = {"r2"}
    announcements.look_soon()
    wait(lambda: listener.rooms == ["r3", "r1"])
    assert announcements.problem() == "pages: no room left on device"
    listener.closed = set()
    announcements.look_soon()
    wait(lambda: listener.rooms == ["r3", "r1", "r2"])
    wait(lambda: not announcements.problem())
    messages = [record.message for record in caplog.records]
    assert messages == ["pages cannot be told", "pages: told again"]


def test_what_was_erased_is_not_told_later(
    announcements: Announcements, listener: Listener
) -> None:
    listener.closed = {"r1", "r2"}
    announce(announcements, "r1", "r2")
    wait(lambda: bool(announcements.problem()))
    announce(announcements, "r1", is_erasure=True)
    announce(announcements, "r3")
    wait(lambda: listener.rooms == ["r3"])
    listener.closed = set()
    announcements.look_soon()
    wait(lambda: not announcements.problem())
    assert listener.rooms == ["r3", "r2"]
