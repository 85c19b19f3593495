"""Commands that root runs on a service's files run as the service: it has to write them too."""

from __future__ import annotations

import os
from pathlib import Path


def become_owner(folder: Path) -> None:
    """Where root runs this and the folder is somebody else's, goes on as they; for good."""
    if os.geteuid() != 0 or not folder.exists():
        return
    owner = folder.stat()
    if owner.st_uid != 0:
        import pwd

        os.initgroups(pwd.getpwuid(owner.st_uid).pw_name, owner.st_gid)
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)
