"""Whether a source certainly shows nobody who is there now: the simulation, or a recording.

A name proves nothing. A picture may be overwritten every second, a file may be a pipe, a device, or
a list of addresses, and a mounted folder may be filled by a camera. So only what is seen to rest
counts as recorded: regular files on a disk of this machine, written before the start, that stay
as they were. All else may be live, and stays so for this process once it was noticed.
"""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import NamedTuple

from edge.camera import driver_of, pictures_in
from edge.camera.container import is_list

NETWORKS = (
    *("nfs", "cifs", "smb", "fuse", "9p", "ceph", "afs", "gluster", "lustre", "webdav"),
    *("virtiofs", "vboxsf", "vmhgfs", "prl_fs"),
)
"""Beginnings of the names of file systems that others can write to unseen."""

DATE_REMEDY = "where it is a recording, check the clock, `touch` it, and start again"


class Print(NamedTuple):
    """What changes when somebody writes to a file, or puts another in its place."""

    path: str
    device: int
    inode: int
    bytes: int
    modified_ns: int
    changed_ns: int


class Recording:
    """A source, watched from now on."""

    def __init__(self, source: str) -> None:
        self._driver, argument = driver_of(source)
        self._path = Path(argument)
        self._started_ns = time.time_ns()
        self._why: str | None = None
        self._prints: tuple[Print, ...] = ()
        if self._driver in ("pictures", "video"):
            self._why, self._prints = self._first_look()

    def watch(self, seconds: float) -> None:
        """Waits until it was watched for so long, where that can tell anything."""
        if self._driver in ("pictures", "video") and not self._why:
            time.sleep(max(0.0, seconds - (time.time_ns() - self._started_ns) / 1e9))

    def live(self) -> str | None:
        """Why it may show people who are there now, in words; None where that is certain not to be.

        Cheap enough to ask for every frame: a call of `stat` for each file.
        """
        if self._driver == "simulation" or self._why:
            return self._why
        if self._driver not in ("pictures", "video"):
            return "a camera"
        try:
            if self._look() != self._prints:
                self._why = "it changes while it is in use"
        except OSError as error:
            self._why = f"it can no longer be looked at ({error.strerror})"
        return self._why

    def _first_look(self) -> tuple[str | None, tuple[Print, ...]]:
        try:
            prints = self._look()
            for one in prints:
                kind = os.stat(one.path).st_mode
                if not (stat.S_ISREG(kind) or (stat.S_ISDIR(kind) and self._is_own(one.path))):
                    return f"{one.path} is not a regular file", ()
                if max(one.modified_ns, one.changed_ns) >= self._started_ns:
                    return f"{one.path} is dated after the start: {DATE_REMEDY}", ()
            if self._driver == "video" and is_list(self._path):
                return "a list or description of streams, not a film", ()
            if system := _network(self._path):
                return f"on a file system that others write to ({system})", ()
        except OSError as error:
            return f"it cannot be looked at ({error.strerror})", ()
        return None, prints

    def _is_own(self, path: str) -> bool:
        return path in (str(self._path), str(self._path.resolve()))

    def _look(self) -> tuple[Print, ...]:
        """The source itself, as it is named and as it is reached, and the pictures in it."""
        files = [self._path, self._path.resolve()]
        if self._path.is_dir():
            files += pictures_in(self._path)
        return tuple(_print(one) for one in files)


def _print(path: Path) -> Print:
    status = os.stat(path)
    return Print(
        str(path),
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def _network(path: Path) -> str | None:
    """The kind of a path's file system, where other machines or programs can write to it."""
    device = os.stat(path).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        before, _, after = line.partition(" - ")
        kind = after.split(" ", 1)[0]
        if before.split(" ")[2] == number and kind.startswith(NETWORKS):
            return kind
    return None
