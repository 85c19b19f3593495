"""Small files that must survive a power cut whole: the old content or the new, never a part."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
from pathlib import Path

OWNER_ALONE = 0o600
"""The mode of secrets."""


def write(path: Path, content: str | bytes, mode: int | None = None) -> None:
    """Replaces the file, whose content is on the disk before it has the name; raises OSError.

    With `mode` the file has these permissions from its first byte on; without, the usual ones.
    Text is UTF-8. Several threads and processes may do it at once: the last one's content stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_remains(path)
    partial = path.with_name(f".{path.name}.{threading.get_native_id()}.part")
    try:
        handle = _new_file(partial, 0o666 if mode is None else mode)
        with os.fdopen(handle, "wb") as file:
            if mode is not None:
                os.fchmod(handle, mode)  # whatever the umask
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(handle)
            partial.replace(path)  # still locked
    except OSError:
        partial.unlink(missing_ok=True)  # a full disk needs no remains
        raise


def _new_file(path: Path, mode: int) -> int:
    """Never one that is there: that may have been planted. Locked, so that nobody takes it for the
    remains of a process that was killed; who did so before it was locked has removed it."""
    while True:
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle
        os.close(handle)


def remove_remains(path: Path) -> None:
    """Of processes that were killed: one that still writes holds a lock on its file."""
    start = f".{path.name}."
    for entry in os.scandir(path.parent):
        if not (entry.name.startswith(start) and entry.name.endswith(".part")):
            continue
        if not entry.is_file(follow_symlinks=False):
            continue
        # Nor is another user's file in the way.
        with contextlib.suppress(OSError), open(entry.path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file.fileno()), os.lstat(entry.path)):
                os.unlink(entry.path)


def overwrite(path: Path, content: str) -> None:
    """Puts text over as much of the same length, in the same place: for this a full disk has room.

    A power cut may tear it; raises OSError, also where the file is shorter.
    """
    data = content.encode()
    with path.open("r+b", buffering=0) as file:
        if file.seek(0, os.SEEK_END) < len(data):
            raise OSError(errno.ENOSPC, "no room to write over")
        file.seek(0)
        file.write(data)
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Until a file's new name in it is on the disk too; raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
