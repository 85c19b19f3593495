"""A disk with too little room is said before it is full, and costs no backup that is there."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.retention import backup_run
from collector.retention.backup_folder import LIST
from collector.storage import backup_note
from deploy.bench.faults.processes import Disk
from edge.common.errors import UserError
from tests.collector.backups.place import Place
from tests.full_disk import leave, small_disk

pytestmark = pytest.mark.once


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path, 2) as one:
        yield one


@pytest.fixture
def place(disk: Disk, tmp_path: Path) -> Place:
    """Its backups are on the small disk, and nothing else."""
    one = Place(tmp_path, f"sqlite:///{tmp_path}/c.sqlite", disk.folder / "backups", keep=3)
    one.fill(500)
    for _ in range(3):
        one.backup()
    return one


def test_it_is_refused_in_words_and_the_others_stay(place: Place, disk: Disk) -> None:
    former = {path: path.read_bytes() for path in place.files()}
    for pages in (0, 3, 20, 26):
        leave(disk, pages)
        with pytest.raises(UserError, match="MB are free, and a backup needs") as refusal:
            place.backup()
        assert "backup.keep" in refusal.value.remedy
        assert {path: path.read_bytes() for path in place.files()} == former
        assert place.others() == {LIST}
        assert "a backup needs" in backup_note.read(place.state).failure
        assert place.status("check") == 1
    disk.clear()
    place.backup()
    assert place.numbers() == [2, 3, 4]
    assert place.status("backups") == 0


def test_one_that_grows_past_what_was_thought_is_given_up(
    place: Place, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a year of windows came back since the last one."""
    place.fill(60_000, 1000)
    former = {path: path.read_bytes() for path in place.files()}
    leave(disk, 36)
    monkeypatch.setattr(backup_run, "LOOK_EACH", 4096)
    with pytest.raises(UserError, match="MB are free, and a backup needs"):
        place.backup()
    monkeypatch.undo()
    with pytest.raises(UserError, match="MB are free, and a backup needs"):  # the last byte
        place.backup()
    assert {path: path.read_bytes() for path in place.files()} == former
    assert place.others() == {LIST}


def test_a_disk_that_nobody_may_write_to_is_said(place: Place, disk: Disk) -> None:
    for mode in ("ro", "rw"):
        subprocess.run(["mount", "-o", f"remount,{mode}", str(disk.folder)], check=True)
        if mode == "ro":
            with pytest.raises(UserError, match="Read-only"):
                place.backup()
            assert "Read-only" in backup_note.read(place.state).failure
            assert place.numbers() == [1, 2, 3]
    place.backup()
    assert place.numbers() == [2, 3, 4]
