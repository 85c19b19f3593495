"""Whether this agent is a demonstration's: the process that started it owns its broker's socket.

`roommood demo` listens on loopback, hands that socket to the broker, one child of it, and starts
the agent as another; the collector runs in it. So the counts do not leave the machine. That is
looked up in the kernel's tables; no setting claims it.
"""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path

LISTEN = "0A"
"""TCP's state in /proc/net/tcp, see proc(5)."""


def is_demonstration(host: str, port: int) -> bool:
    """Whether the parent process itself listens at a loopback address, and nobody else."""
    try:
        address = ip_address("127.0.0.1" if host == "localhost" else host)
        if not address.is_loopback:
            return False
        sockets = _listeners(port)
        return bool(sockets) and sockets <= _sockets_of(os.getppid())
    except (OSError, ValueError):
        return False


def _listeners(port: int) -> set[str]:
    """The inodes of all sockets that listen at a port of this machine."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        file = Path("/proc/net") / table
        for line in file.read_text(encoding="ascii").splitlines()[1:] if file.exists() else ():
            fields = line.split()
            if fields[3] == LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes


def _sockets_of(process: int) -> set[str]:
    links = [os.readlink(entry) for entry in Path(f"/proc/{process}/fd").iterdir()]
    return {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}
