"""A small disk of a test's own that can be full: as root alone, who may mount one."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.bench.faults.processes import Disk

PAGE = 4096


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Disk]:
    """Skips the test where there can be none."""
    disk = Disk(folder / "disk", megabytes)
    if not disk.can_be_full:
        pytest.skip("no file system can be mounted here: this test needs root")
    yield disk
    disk.remove()


@contextmanager
def no_room() -> Iterator[None]:
    """The kernel refuses every byte that this process writes into a file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def leave(disk: Disk, pages: int) -> None:
    """Full but for these pages."""
    disk.fill()
    with (disk.folder / "ballast").open("r+b") as file:
        file.truncate(max(0, file.seek(0, 2) - pages * PAGE))
