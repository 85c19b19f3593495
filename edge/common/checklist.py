"""What both `check` commands do: try one part after the other, and list every fault, not the first.

Somebody who mends one fault and runs the command again should not meet the next one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from edge.common.errors import Problem
from edge.common.say import say

BAD, GAP = 2, 1
"""Exit statuses: something cannot be used; or something is not reached now, and may be later."""


class Checklist:
    """Faults of parts, each printed on stderr when it shows; `end` gives the exit status."""

    def __init__(self) -> None:
        self._status = 0
        self._messages: set[str] = set()
        self._internal: Exception | None = None

    @contextmanager
    def part(self) -> Iterator[None]:
        """What is done within may fail, and leaves the parts that follow."""
        try:
            yield
        except Problem as problem:
            if f"{problem}" not in self._messages:  # two parts may need the same thing
                say(f"roommood: {problem}", err=True)
            self._messages.add(f"{problem}")
            self.note(BAD)
        except Exception as error:  # ours, or a package that is missing: raised when all is tried
            self._internal = self._internal or error

    def note(self, status: int) -> None:
        """Remembers the worst."""
        self._status = max(self._status, status)

    def end(self) -> int:
        """The exit status; raises what nobody thought of."""
        if self._internal is not None:
            raise self._internal
        return self._status
