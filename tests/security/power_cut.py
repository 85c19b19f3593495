"""A process that ends in the middle of what it does to the disk."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable


def until(count: int, work: Callable[[], object]) -> bool:
    """Does something in a process that ends at its so manieth touch of the disk, as by a power
    cut; returns whether it came to its end."""
    child = os.fork()
    if child == 0:
        touches = itertools.count()

        def note(event: str, arguments: tuple[object, ...]) -> None:
            touch = event.startswith(("os.", "shutil.")) or (
                event == "open" and arguments[1] not in ("r", None)
            )
            if touch and next(touches) == count:
                os._exit(9)

        sys.addaudithook(note)
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, 9)
    return code == 0
