"""Commands that root runs on a service's files run as the service: it has to write them too."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def become_owner(folder: Path) -> None:
    """Where root runs this and the folder is somebody else's, goes on as they; for good."""
    if os.geteuid() != 0 or not folder.exists():
        return
    owner = folder.stat()
    if owner.st_uid != 0:
        os.initgroups(pwd.getpwuid(owner.st_uid).pw_name, owner.st_gid)
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)


@contextmanager
def owner_for_now(folder: Path) -> Iterator[None]:
    """The same, until the block ends: for a command that afterwards has to do a thing as root."""
    if os.geteuid() != 0 or not folder.exists() or (owner := folder.stat()).st_uid == 0:
        yield
        return

    groups, group = os.getgroups(), os.getegid()
    os.initgroups(pwd.getpwuid(owner.st_uid).pw_name, owner.st_gid)
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)
