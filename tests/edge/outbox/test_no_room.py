"""An agent that starts on a full disk: it watches the room, and loses no window for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.bench.faults.processes import Disk
from edge.common.errors import UserError
from edge.outbox.store import Outbox
from tests.conftest import Mosquitto, mood
from tests.edge.transport.publishers import Listener
from tests.full_disk import leave, small_disk
from tests.system.process import Roommood

ROOM = (*range(12), 20, 40, 62, 64, 66, 80, 100, 120, 128, 132, 140)
"""Pages: from none to more than a first start takes, which is some 130."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path, 1) as one:
        yield one


@pytest.mark.parametrize("first", [True, False], ids=["first start", "later start"])
def test_windows_wait_in_memory_until_there_is_room(disk: Disk, first: bool) -> None:
    boot = uuid4()
    for pages in ROOM:
        path = disk.folder / str(pages) / "outbox.sqlite"
        path.parent.mkdir()
        numbers = list(range(6))
        if not first:
            box = Outbox(path)
            box.add(mood(seq=numbers[0], boot=boot))
            box.close()
        leave(disk, pages)
        box = Outbox(path)
        for seq in numbers if first else numbers[1:]:
            box.add(mood(seq=seq, boot=boot))
        disk.clear()
        assert sorted(one.seq for one in box.pending(9)) == numbers
        assert box.trouble == ""
        box.close()
        again = Outbox(path)
        assert sorted(one.seq for one in again.pending(9)) == numbers, "on the disk now"
        again.close()
        for file in path.parent.iterdir():
            file.unlink()


def test_a_place_that_can_never_take_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot open the outbox"):
        Outbox(tmp_path / "file" / "outbox.sqlite")


@pytest.mark.once  # the kernel refuses the space; whole agents on both: tests/system/test_school.py
def test_an_agent_starts_and_its_windows_come_to_the_collector(
    disk: Disk, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    """With nothing left, on a device that has run before, and on one that has not."""
    config = tmp_path / "agent.yaml"
    for state, full in (("old", False), ("old", True), ("new", True)):
        (disk.folder / state).mkdir(exist_ok=True)
        config.write_text(
            "site: school\nroom: r101\ncamera: 'sim:seats=12,seed=1'\nwindow_seconds: 1\n"
            f"state: {disk.folder / state}\n"
            f"broker: {{host: 127.0.0.1, port: {mosquitto.port}}}\n"
        )
        if full:
            disk.fill()
        listener = Listener(mosquitto.port)
        with Roommood("agent", "run", "--config", config) as agent:
            numbers: set[int] = set()
            while len(numbers) < 2:  # nobody acknowledges, so that they come again and again
                numbers.add(json.loads(listener.next("mood", 60).payload)["seq"])
            assert agent.process.poll() is None, agent.errors
            assert any("free some space" in line for line in agent.errors) is full
        listener.close()
        disk.clear()
