"""A file that is written beside the one it replaces: until it is whole, the former one stays."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from edge.common.atomic_file import remove_remains, sync_folder


@contextlib.contextmanager
def whole_file(path: Path, service: int | None = None) -> Iterator[IO[bytes]]:
    """Takes the name when the block has ended well and all is on the disk; raises OSError.

    The block may read what it wrote. Only the caller can read it; where it replaces a file of the
    user `service`, it is theirs as that was. What is no plain file (a pipe, a device) is written to
    as it is.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as other:
            yield other
        return
    path = path.resolve()  # a link stays one
    remove_remains(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    partial = Path(name)
    try:
        with os.fdopen(handle, "w+b") as file:
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
