"""Whether the wall clock can be trusted: a Pi has no battery for it."""

from __future__ import annotations

import ctypes
from typing import Literal

TIMEX_BYTES = 256
"""Room for the kernel's `struct timex`, 208 bytes on 64-bit Linux."""

TIME_ERROR = 5
"""What adjtimex(2) answers while the clock is not synchronised."""


def trust() -> Literal["synced", "unsynced"]:
    """`synced` when the kernel says that something disciplines its clock."""
    timex = ctypes.create_string_buffer(TIMEX_BYTES)  # modes = 0: read only
    try:
        answer = ctypes.CDLL(None).adjtimex(timex)
    except AttributeError:  # not Linux
        return "unsynced"
    return "synced" if 0 <= answer < TIME_ERROR else "unsynced"
