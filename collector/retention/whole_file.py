"""A file that is written beside the one it replaces: until it is whole, the former one stays."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from edge.common.atomic_file import sync_folder


@contextlib.contextmanager
def whole_file(path: Path, service: int | None = None) -> Iterator[IO[bytes]]:
    """Takes the name when the block has ended well and all is on the disk; raises OSError.

    Only the caller can read it; where it replaces a file of the user `service`, it is theirs as
    that was. What is no plain file (a pipe, a device) is written to as it is.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as other:
            yield other
        return
    path = path.resolve()  # a link stays one
    _remove_remains(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if path.exists() and path.stat().st_uid == service != os.geteuid():
                os.fchown(handle, path.stat().st_uid, path.stat().st_gid)
            yield file
            file.flush()
            os.fsync(handle)
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)  # a full disk needs no remains
    sync_folder(path.parent)


def _remove_remains(path: Path) -> None:
    """Of processes that were killed: one that still writes holds a lock on its file."""
    for remains in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        # Nor is another user's file in the way.
        with contextlib.suppress(BlockingIOError, PermissionError, FileNotFoundError):
            if remains.is_file() and not remains.is_symlink():
                with remains.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    remains.unlink()
