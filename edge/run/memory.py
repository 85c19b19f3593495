"""Keeps what is in memory from reaching the disk: no core dump, no swap where the system lets us.

Of the Linux manual pages prctl(2), mlockall(2) and getrlimit(2).
"""

from __future__ import annotations

import ctypes
import os
import resource
from pathlib import Path

from edge.common.errors import Problem

PR_SET_DUMPABLE = 4
MCL_CURRENT, MCL_FUTURE = 1, 2
SWAPS = Path("/proc/swaps")


def no_core_dumps() -> None:
    """From now on a crash leaves no core, and no other process of this user may read our memory.

    The hard limit is set too, so that nothing in this process can allow it again; a core that is
    piped to a program, as systemd-coredump, is stopped by the process not being dumpable.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def no_swap() -> Problem | None:
    """Locks the process in memory; else what may be swapped out, and the remedy.

    Where memory may be locked only up to a limit, locking what is allocated later would make
    allocation fail, so it is tried without a limit alone.
    """
    if not _swaps():
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if os.geteuid() == 0 or hard == resource.RLIM_INFINITY:
        if soft != hard:
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (hard, hard))
        if ctypes.CDLL(None).mlockall(MCL_CURRENT | MCL_FUTURE) == 0:
            return None
    return Problem(
        "swap is on and memory cannot be locked",
        "memory",
        "set LimitMEMLOCK=infinity or MemorySwapMax=0 in the unit, or turn swap off",
    )


def _swaps() -> bool:
    """Whether the machine has swap that is a disk's, or any at all."""
    try:
        return len(SWAPS.read_text(encoding="ascii").splitlines()) > 1
    except OSError:
        return True
