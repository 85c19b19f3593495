"""Backup, restore and erasure on a disk that is full, or that nobody may write to: an error in
words, all as it was, and the same command works when there is room again."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collector.storage.database import connect
from deploy.bench.faults.processes import Disk
from edge.common.errors import UserError
from tests.collector.storage.kill_retention import WINDOWS, Machine
from tests.full_disk import leave, small_disk

pytestmark = pytest.mark.once

PAGES = (0, 2, 7, 15, 30, 45, 70, 100)
"""Left free."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path, 8) as one:
        yield one


@pytest.fixture
def machine(disk: Disk, tmp_path: Path) -> Callable[[str], Machine]:
    empty = tmp_path / "empty.sqlite"
    connect(f"sqlite:///{empty}").dispose()

    def new(name: str) -> Machine:
        folder = disk.folder / name
        return Machine(folder, f"sqlite:///{folder}.sqlite", empty)

    return new


@pytest.fixture
def source(machine: Callable[[str], Machine], tmp_path: Path) -> Machine:
    one = machine("source")
    one.fill()
    one.call("backup", "--out", str(tmp_path / "whole.tar.gz"))
    return one


def in_words(machine: Machine, *words: str) -> str:
    """What the command says of its failure; nothing where it succeeds."""
    try:
        machine.call(*words)
    except UserError as error:
        return f"{error} ({error.remedy})"
    return ""


def test_a_restore_takes_effect_or_does_not(
    source: Machine, machine: Callable[[str], Machine], disk: Disk, tmp_path: Path
) -> None:
    other, failures = machine("other"), 0
    words = ("restore", "--from", str(tmp_path / "whole.tar.gz"))
    for pages in PAGES:
        other.clear()
        leave(disk, pages)
        message = in_words(other, *words)
        failures += bool(message)
        disk.clear()
        if message and not other.count_rows():
            assert not [one for one in other.folder.rglob("*") if one.name.endswith(".restored")]
            other.call(*words)
        other.start()
        assert other.wrong(source) == "", (pages, message)
    assert 0 < failures < len(PAGES)


def test_an_erasure_begins_or_does_not(source: Machine, disk: Disk) -> None:
    failures = 0
    for pages in PAGES:
        source.fill_rooms()
        leave(disk, pages)
        message = in_words(source, "erase", "--room", "school/r101")
        failures += bool(message)
        disk.clear()
        source.start()
        if message and source.count_rows() == 2 * WINDOWS:
            source.call("erase", "--room", "school/r101")
        assert source.count_rows() == WINDOWS, (pages, message)
    assert failures


def test_a_backup_leaves_the_one_before(source: Machine, disk: Disk, tmp_path: Path) -> None:
    out = disk.folder / "b.tar.gz"
    former = (tmp_path / "whole.tar.gz").read_bytes()
    failures = 0
    for pages in PAGES:
        out.write_bytes(former)
        leave(disk, pages)
        message = in_words(source, "backup", "--out", str(out))
        failures += bool(message)
        disk.clear()
        assert not [one for one in disk.folder.iterdir() if one.name.endswith(".part")]
        assert (out.read_bytes() == former) == bool(message), (pages, message)
    assert failures


def test_where_nobody_may_write_it_is_said(
    source: Machine, machine: Callable[[str], Machine], disk: Disk, tmp_path: Path
) -> None:
    other, whole = machine("other"), str(tmp_path / "whole.tar.gz")
    other.clear()
    subprocess.run(["mount", "-o", "remount,ro", str(disk.folder)], check=True)
    try:
        for one, *words in (
            (source, "backup", "--out", str(tmp_path / "b.tar.gz")),
            (source, "erase", "--room", "school/r101"),
            (other, "restore", "--from", whole),
            (other, "account", "list"),
        ):
            assert in_words(one, *words), words
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk.folder)], check=True)
    assert source.count_rows() == 2 * WINDOWS
    other.call("restore", "--from", whole)
    assert other.wrong(source) == ""
