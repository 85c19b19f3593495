"""What was erased does not return, by whatever way, in either database; and nothing else is lost.

A device in each of two rooms, a real broker and a collector; one room is erased, and then comes
whatever could bring it back.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import publish, subscribe
from sqlalchemy import create_engine, select, update
from sqlalchemy.engine import make_url

from collector.access.accounts import Accounts
from collector.integrations.home_discovery import state_topic
from collector.integrations.webhook_receiver import target
from collector.integrations.webhooks import Webhooks
from collector.lessons.repository import LessonRepository
from collector.retention.backup import backup
from collector.retention.erasing import erase_lesson, erase_room
from collector.retention.restore import restore
from collector.storage.database import connect
from collector.storage.erasure_notes import FILE, whole_notes
from collector.storage.erasures import Erasures
from collector.storage.resend_mark import mark
from collector.storage.store import Store
from collector.storage.tables import deliveries, moods
from edge.common.broker import BrokerSettings
from edge.common.errors import UserError
from edge.outbox.second_copy import SecondCopy
from edge.outbox.store import Outbox
from edge.protocol.messages import Mood
from tests.collector.school import School, post
from tests.conftest import BOOT, Mosquitto, mood
from tests.edge.transport.publishers import publisher_of
from tests.free import full_disk, wait
from tests.postgres import Postgres

pytestmark = pytest.mark.once

ERASED_ROOM, OTHER = "r101", "r102"
BEFORE, AFTER, LATER = range(20), range(20, 40), range(40, 45)
"""Numbers of windows: before the backup, after it, and after the erasure."""


class Device:
    """One room's outbox and publisher, as an agent has them."""

    def __init__(self, folder: Path, room: str, port: int, begin: datetime) -> None:
        self.room, self._begin = room, begin
        path = folder / room / "o.sqlite"
        self.outbox, self._copy = Outbox(path), SecondCopy(path)
        self.publisher = publisher_of(
            BrokerSettings(port=port), self.outbox, room=room, device=room
        )
        self.publisher.start()

    def window(self, seq: int, **changes: Any) -> Mood:
        start = self._begin + timedelta(seconds=15 * seq)
        return mood(room=self.room, device=self.room, seq=seq, **{"start": start, **changes})

    def sends(self, numbers: range, **changes: Any) -> None:
        """Until all are acknowledged."""
        for seq in numbers:
            self.outbox.add(self.window(seq, **changes))
        self.publisher.wake()
        wait(lambda: len(self.outbox) == 0)

    def keeps(self) -> set[int]:
        """Numbers of what it has, to send or to send again."""
        acknowledgements = self._copy.acknowledgements(datetime.fromtimestamp(0, timezone.utc))
        return {one.seq for one in [*acknowledgements, *self.outbox.pending(1000)]}

    def close(self) -> None:
        self.publisher.stop(0.1)
        self.outbox.close()


class Scene:
    def __init__(self, folder: Path, port: int, fresh: Callable[[], str]) -> None:
        self.folder, self.port, self.fresh = folder, port, fresh
        self.state = folder / "state"
        self.database = fresh()
        begin = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(minutes=20)
        self.erased_device, self.other = (
            Device(folder, room, port, begin) for room in (ERASED_ROOM, OTHER)
        )

    def school(self, **changes: Any) -> School:
        more = {"database": self.database, "state": self.state} | changes
        return School(self.folder, self.port, **more)

    def both(self, numbers: range) -> None:
        self.erased_device.sends(numbers)
        self.other.sends(numbers)

    def numbers(self, room: str) -> list[int]:
        engine = connect(self.database)
        with engine.connect() as connection:
            query = select(moods.c.seq).where(moods.c.room == room).order_by(moods.c.seq)
            rows = connection.execute(query).scalars().all()
        engine.dispose()
        return list(rows)

    def until_erased_in_the_device(self) -> None:
        wait(lambda: not self.erased_device.keeps() & {*BEFORE, *AFTER})

    def check_erasure(self) -> None:
        """Neither windows nor lessons of the room, but what came later; all of the other room."""
        wait(lambda: self.numbers(OTHER) == [*BEFORE, *AFTER, *LATER])
        wait(lambda: set(self.numbers(ERASED_ROOM)) >= set(LATER))
        assert self.numbers(ERASED_ROOM) == [*LATER]
        engine = connect(self.database)
        assert {one.room for one in LessonRepository(engine).of()} == {OTHER}
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Scene]:
    numbers = iter(range(9))
    fresh: Callable[[], str] = lambda: f"sqlite:///{tmp_path}/c{next(numbers)}.sqlite"  # noqa: E731  # as the other
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        fresh = server.fresh
    new_scene = Scene(tmp_path, mosquitto.port, fresh)
    yield new_scene
    for device in (new_scene.erased_device, new_scene.other):
        device.close()


def copy_database(scene: Scene, database: str) -> str:
    """The database as it is, by its own means."""
    url = make_url(database)
    if url.get_backend_name() == "sqlite":
        copy = f"{url.database}.copy"
        shutil.copy(str(url.database), copy)
        return f"sqlite:///{copy}"
    server = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    name = f"{url.database}_copy"
    with server.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE "{url.database}"')
    server.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


def erased_after_a_copy(scene: Scene) -> tuple[Path, str]:
    """Windows, a copy of both kinds, more windows, and the erasure by the room's page."""
    with scene.school() as school:
        school.staff()
        for room in (ERASED_ROOM, OTHER):
            lesson = school.repository.begin(
                "school", room, "Optics", "button", start=time.time() - 1200
            )
            assert lesson is not None
        scene.both(BEFORE)
        file = scene.folder / "b.tar.gz"
        backup(school.engine, scene.state, file)
    copy = copy_database(scene, scene.database)
    with scene.school() as school, school.as_person("ann") as ann:
        scene.both(AFTER)
        answer = post(ann, f"/rooms/school/{ERASED_ROOM}/erase", confirm=ERASED_ROOM)
        assert answer.status_code == 303
        scene.until_erased_in_the_device()
        now = datetime.now(timezone.utc)
        scene.erased_device.sends(LATER, start=now)
        scene.other.sends(LATER)
        scene.check_erasure()
    return file, copy


@pytest.mark.parametrize("way", ["own state", "noted elsewhere", "copied database"])
def test_an_older_database_brings_nothing_back(scene: Scene, way: str) -> None:
    """Nor do the devices, which are asked for what came after it."""
    file, copy = erased_after_a_copy(scene)
    if way == "copied database":
        scene.database = copy
        engine = connect(copy)

        with engine.begin() as connection:
            mark(connection)
        engine.dispose()
    else:
        notes = whole_notes(scene.state / FILE) if way == "noted elsewhere" else []
        scene.database = scene.fresh()
        if way == "noted elsewhere":
            scene.state = scene.folder / "new"
        engine = connect(scene.database)
        restore(engine, scene.state, file, later_erasures=notes)
        engine.dispose()
    with scene.school():
        for device in (scene.erased_device, scene.other):
            device.publisher.say("online")
        scene.check_erasure()


def test_where_the_notes_are_lost_too_the_devices_have_nothing_to_send(scene: Scene) -> None:
    """What the backup itself holds is back then: it has to be deleted, or kept with the notes."""
    file, _ = erased_after_a_copy(scene)
    scene.database, scene.state = scene.fresh(), scene.folder / "new"
    engine = connect(scene.database)
    restore(engine, scene.state, file)
    engine.dispose()
    with scene.school():
        for device in (scene.erased_device, scene.other):
            device.publisher.say("online")
        wait(lambda: scene.numbers(OTHER) == [*BEFORE, *AFTER, *LATER])
        wait(lambda: set(scene.numbers(ERASED_ROOM)) >= set(LATER))
        assert scene.numbers(ERASED_ROOM) == [*BEFORE, *LATER]


def test_a_device_that_was_away_erases_when_it_is_back(scene: Scene) -> None:
    """What it had not sent yet, too."""
    with scene.school() as school:
        scene.both(BEFORE)
        scene.erased_device.publisher.stop(0.1)
        for seq in AFTER:
            scene.erased_device.outbox.add(scene.erased_device.window(seq))
        erasures = Erasures(school.engine, scene.state)
        erase_room(erasures, "school", ERASED_ROOM)
    scene.erased_device.outbox.close()
    with scene.school():
        begin = scene.erased_device.window(0).start
        scene.erased_device = Device(scene.folder, ERASED_ROOM, scene.port, begin)
        scene.until_erased_in_the_device()
        scene.erased_device.sends(LATER, start=datetime.now(timezone.utc))
        assert scene.numbers(ERASED_ROOM) == [*LATER]


@pytest.mark.parametrize("by", ["a page", "a command"])
def test_a_window_on_its_way_is_not_stored(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """It came before the erasure, and its turn comes after."""
    with scene.school() as school:
        add, own = Store.add, school.service.erasures
        erasures = own if by == "a page" else Erasures(school.engine, scene.state)

        def erased_meanwhile(store: Store, windows: Any) -> list[Mood]:
            new = add(store, windows)
            # Committed after the erasure has looked, as far as anybody can tell.
            monkeypatch.setattr(Store, "add", add)  # once
            erase_room(erasures, "school", OTHER)
            add(store, windows)
            return new

        monkeypatch.setattr(Store, "add", erased_meanwhile)  # at that moment
        scene.other.sends(range(1))
        assert scene.numbers(OTHER) == []
        assert school.service.rooms.view("school", OTHER).mood is None


def test_merged_windows_of_an_erased_lesson(scene: Scene) -> None:
    """They begin before it and reach into it."""
    with scene.school() as school:
        scene.erased_device.sends(range(2, 20))
        begin = scene.erased_device.window(10).start.timestamp()
        lesson = school.repository.begin("school", ERASED_ROOM, "Optics", "button", start=begin)
        assert lesson is not None
        school.repository.end(lesson, begin + 75)
        erase_lesson(school.service.erasures, school.repository.lesson(lesson.id))
        assert scene.numbers(ERASED_ROOM) == [*range(2, 10), *range(15, 20)]
        # Of another run, since a merged one takes the place of its parts.
        for boot, seq in ((1, 9), (2, 14), (3, 30)):
            name = f"{BOOT}"[:-1] + str(boot)
            window = scene.erased_device.window(seq - 5, seconds=90.0, windows=6, boot=name)
            scene.erased_device.outbox.add(window.model_copy(update={"seq": seq}))
        scene.erased_device.publisher.wake()
        wait(lambda: len(scene.erased_device.outbox) == 0)
        assert set(scene.numbers(ERASED_ROOM)) == {*range(2, 10), *range(15, 20), 9, 30}


def test_windows_that_were_dated_ahead(scene: Scene) -> None:
    """Their time has not come: they go by their numbers, and what comes then is stored."""
    ahead = datetime.now(timezone.utc) + timedelta(hours=20)
    with scene.school() as school:
        scene.erased_device.sends(range(3), start=ahead)
        erase_room(school.service.erasures, "school", ERASED_ROOM)
        assert scene.numbers(ERASED_ROOM) == []
        scene.erased_device.sends(range(3), start=ahead)  # again, as after a lost acknowledgement
        scene.erased_device.sends(range(3, 5), start=ahead)
        assert scene.numbers(ERASED_ROOM) == [3, 4]


def test_events_that_were_not_told_yet(scene: Scene) -> None:
    """Of the room not one is told, whether it waits in memory, in the database, or is back there;
    of an erased lesson not its own, and those of others are."""
    engine = connect(scene.database)
    erasures = Erasures(engine, scene.state)
    secret = "whsec_c2VjcmV0"  # the tests'
    hooks = Webhooks(engine, [target("http://127.0.0.1:1/x", secret, ["e"])], erasures)
    now = time.time()
    starts = [datetime.fromtimestamp(now - ago, timezone.utc).isoformat() for ago in (900, 300)]

    def notify(**data: Any) -> None:
        hooks.notify("e", {"site": "school", **data})

    for room in (ERASED_ROOM, OTHER):
        notify(room=room, title="first", start=starts[0])
        notify(room=room, title="second", start=starts[1])
    hooks.write_down()

    def pending() -> list[tuple[str, str]]:
        with engine.connect() as connection:
            rows = connection.execute(select(deliveries.c.body).order_by(deliveries.c.id)).all()
        events = [json.loads(row.body)["data"] for row in rows]
        return [(one["room"], one.get("title", "")) for one in events]

    repository = LessonRepository(engine)
    lesson = repository.begin("school", ERASED_ROOM, "first", "button", start=now - 900)
    assert lesson is not None
    erase_lesson(erasures, lesson._replace(end=now - 600))
    assert pending() == [(ERASED_ROOM, "second"), (OTHER, "first"), (OTHER, "second")]
    notify(room=ERASED_ROOM, state="live")  # in memory when it is erased
    wait(lambda: time.time() > now + 0.01)
    erase_room(erasures, "school", ERASED_ROOM)
    hooks.write_down()
    with engine.begin() as connection:
        connection.execute(update(deliveries).values(next=0.0))

    hooks.receivers[0].round(time.time())
    assert pending() == [(OTHER, "first"), (OTHER, "second")]
    engine.dispose()


def test_what_the_broker_keeps_for_home_assistant_and_others(scene: Scene) -> None:
    """Erased by a command while the collector was away, and by its page."""
    topics = ["roommood/v1/school/r101/mood", state_topic("school", ERASED_ROOM)]

    def retained_topics() -> set[str]:
        """Of these topics and one that is always there, those that the broker keeps."""
        publish.single("x/end", b"1", qos=1, retain=True, port=scene.port)
        arrivals: set[str] = set()

        def hear(client: Any, _: Any, message: Any) -> None:
            if message.payload and message.retain:
                arrivals.add(message.topic)
            if message.topic == "x/end":
                client.disconnect()

        subscribe.callback(hear, [*topics, "x/end"], qos=1, port=scene.port)  # type: ignore[no-untyped-call]  # paho's
        return arrivals - {"x/end"}

    home = {"prefix": "homeassistant"}
    with scene.school(home_assistant=home) as school:
        scene.erased_device.sends(BEFORE, start=datetime.now(timezone.utc))
        wait(lambda: retained_topics() == set(topics))
        scene.erased_device.close()
        publish.single("roommood/v1/school/r101/status", b"", retain=True, port=scene.port)
        wait(lambda: not len(school.service.announcements))
    engine = connect(scene.database)
    erase_room(Erasures(engine, scene.state), "school", ERASED_ROOM)
    engine.dispose()
    with scene.school(home_assistant=home):
        wait(lambda: not retained_topics())
    scene.erased_device = Device(scene.folder, ERASED_ROOM, scene.port, datetime.now(timezone.utc))


def test_no_lesson_begins_again_that_was_erased_while_it_went_on(scene: Scene) -> None:
    engine = connect(scene.database)
    repository, start = LessonRepository(engine), time.time() - 600
    lesson = repository.begin("school", ERASED_ROOM, "Optics", "timetable", start=start)
    assert lesson is not None
    erase_lesson(Erasures(engine, scene.state), lesson)
    assert repository.begin("school", ERASED_ROOM, "Optics", "timetable", start=start) is None
    assert repository.begin("school", OTHER, "Optics", "timetable", start=start) is not None
    assert repository.begin("school", ERASED_ROOM, "Waves", "button") is not None
    engine.dispose()


def test_nothing_is_erased_that_cannot_be_noted(scene: Scene) -> None:
    """The disk is full: said, and the windows are still there."""
    engine = connect(scene.database)
    Accounts(engine)
    with scene.school():
        scene.both(BEFORE)
    scene.state.mkdir(exist_ok=True)
    with full_disk(0), pytest.raises(UserError, match="nothing was erased"):
        erase_room(Erasures(engine, scene.state), "school", ERASED_ROOM)
    assert scene.numbers(ERASED_ROOM) == [*BEFORE]
    engine.dispose()
