"""The list of rooms looks through a room's windows once for each change, and misses none."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import pytest
from sqlalchemy import create_engine

from collector.config import SchoolSettings
from collector.lessons.checkins import CheckIns
from collector.lessons.repository import LessonRepository
from collector.live.pending import PendingCommands
from collector.live.rooms import Rooms
from collector.pages import room_summary
from collector.pages.panel import Panels
from collector.pages.render import Renderer
from collector.storage.tables import metadata
from tests.conftest import mood


class PanelCount(NamedTuple):
    """What draws the list, and one number for each time that a room was looked through."""

    rooms: Rooms
    panels: Panels
    renders: list[int]


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> PanelCount:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    rooms = Rooms()
    repository, checkins = LessonRepository(engine), CheckIns(engine)
    panels = Panels(rooms, repository, checkins, Renderer(SchoolSettings()), PendingCommands())
    renders: list[int] = []

    def count_renders(*args: Any) -> Any:
        renders.append(1)
        return room_summary.summarize(*args)

    monkeypatch.setattr("collector.pages.panel.summarize", count_renders)
    return PanelCount(rooms, panels, renders)


def test_a_headline_is_made_once_until_something_changes(count: PanelCount) -> None:
    rooms, panels, renders = count
    now = datetime.now(timezone.utc)

    def headline(language: str = "en") -> str:
        return str(panels.headline(rooms.view("school", "r101"), language))

    for seq in range(3):
        rooms.update_mood(mood(seq=seq, start=now - timedelta(seconds=60 - 15 * seq)), time.time())
    first = headline()
    assert headline() == first
    assert len(renders) == 1
    assert headline("de") != first
    assert len(renders) == 2
    rooms.update_mood(mood(seq=9, start=now), time.time())
    headline()
    assert len(renders) == 3
    # Late, and erased: what it says rests on them, though the newest window is the same.
    rooms.update_mood(mood(seq=8, start=now - timedelta(seconds=15)), time.time())
    headline()
    assert len(renders) == 4
    rooms.forget("school", "r101", (now - timedelta(seconds=20)).timestamp(), now.timestamp())
    headline()
    assert len(renders) == 5
    rooms.forget("school", "r101")
    assert headline() != first


def test_a_silent_rooms_headline_is_kept_for_some_seconds_alone(
    count: PanelCount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may say for how long the room is silent."""
    rooms, panels, renders = count
    hours_ago = datetime.now(timezone.utc) - timedelta(hours=2)
    rooms.update_mood(mood(start=hours_ago), hours_ago.timestamp())
    view = rooms.view("school", "r101")
    assert view.state not in ("live", "withheld")
    for _ in range(3):
        panels.headline(view, "en")
    assert len(renders) == 1
    monkeypatch.setattr("collector.pages.panel.SILENT_S", 0.0)
    panels._headlines.clear()
    for _ in range(3):
        panels.headline(view, "en")
    assert len(renders) == 4
