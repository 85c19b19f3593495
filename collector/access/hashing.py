"""Argon2 in a small pool of its own: a hash takes 64 MiB and a processor.

So neither many who sign in at once nor somebody who only pretends to can take all memory, or all
the threads that answer everybody else.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher

AT_ONCE = max(1, min(4, (os.cpu_count() or 2) // 2))
"""Hashes at a time: half of the processors."""

MOST_IN_QUEUE, OF_ONE_PLACE = 64, 8
"""Who wait for their turn, in all and of one network or known browser; whoever comes after them is
told to try again, so that nobody who floods from one place keeps others from the rest."""

ENDS_IN_S = 5.0

T = TypeVar("T")
_turns = threading.BoundedSemaphore(AT_ONCE)
_hasher = PasswordHasher()


class HashingQueueFull(Exception):
    """Too many wait already."""


def hash_password(password: str) -> str:
    with _turns:
        return _hasher.hash(password)


def verify(password_hash: str, password: str) -> None:
    """Raises what argon2 raises for a password that is not the one."""
    with _turns:
        _hasher.verify(password_hash, password)


def is_old(password_hash: str) -> bool:
    """Whether it was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


class HashingQueue:
    """Work that hashes, for the web server's loop: waits without holding one of its threads."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")
        self._queue_sizes: Counter[str] = Counter()

    async def run(self, place: str, work: Callable[..., T], *arguments: object) -> T:
        """Raises HashingQueueFull at once where the queue is full."""
        if self._queue_sizes[place] >= OF_ONE_PLACE or self._queue_sizes.total() >= MOST_IN_QUEUE:
            raise HashingQueueFull
        self._queue_sizes[place] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
        finally:
            self._queue_sizes[place] -= 1
            if not self._queue_sizes[place]:
                del self._queue_sizes[place]

    def stop(self) -> bool:
        """Waits for the hashes under way, but not for long; returns whether they have ended."""
        end = threading.Thread(
            target=self._pool.shutdown,
            kwargs={"cancel_futures": True},
            name="passwords",
            daemon=True,
        )
        end.start()
        end.join(ENDS_IN_S)
        return not end.is_alive()
