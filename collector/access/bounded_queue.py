"""Work that takes a processor for long, in a small pool of its own: few at a time, few in line.

So neither many who ask at once nor somebody who floods can take the threads that answer everybody
else.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

ENDS_IN_S = 5.0

T = TypeVar("T")


class QueueFull(Exception):
    """Too many wait already."""


class BoundedQueue:
    """For the web server's loop: whoever waits here holds none of its threads.

    `most` wait or are worked for in all, and `most_of_one` of one place or person: whoever comes
    after them is told to try again, so that nobody who floods keeps others from the rest.
    """

    def __init__(self, name: str, at_once: int, most: int, most_of_one: int) -> None:
        self._name, self._most, self._most_of_one = name, most, most_of_one
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix=name)
        self._queue_sizes: Counter[str] = Counter()

    async def run(self, whose: str, work: Callable[..., T], *arguments: object) -> T:
        """Raises QueueFull at once where the queue is full."""
        sizes = self._queue_sizes
        if sizes[whose] >= self._most_of_one or sizes.total() >= self._most:
            raise QueueFull
        sizes[whose] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
        finally:
            sizes[whose] -= 1
            if not sizes[whose]:
                del sizes[whose]

    def stop(self) -> bool:
        """Waits for the work under way, but not for long; returns whether it has ended."""
        end = threading.Thread(
            target=self._pool.shutdown,
            kwargs={"cancel_futures": True},
            name=self._name,
            daemon=True,
        )
        end.start()
        end.join(ENDS_IN_S)
        return not end.is_alive()
