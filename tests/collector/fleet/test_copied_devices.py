"""A copied card is noticed where devices are not enrolled, too."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from collector.run.announcements import Announcement
from edge.protocol.messages import Status
from tests.collector.live.test_rooms import status
from tests.collector.school import School


def test_two_devices_of_one_room_are_said_and_written_down(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with School(tmp_path) as school:
        view = school.service.rooms.view("school", "r101")

        def notify(message: Status) -> None:
            school.service.announcements.handle(Announcement(message, view))

        one, two = (status().model_copy(update={"boot": uuid4()}) for _ in range(2))
        for device in (one, two):  # a restart
            notify(device)
        assert "two devices" not in caplog.text
        for _ in range(5):
            notify(one)
            notify(two)
        assert caplog.text.count("school/r101: two devices publish for this room") == 1
        entries = [(e.what, e.about) for e in school.service.audit.newest(5)]
        assert entries.count(("device copied", "school/r101")) == 1
