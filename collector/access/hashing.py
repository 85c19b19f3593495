"""Argon2 in a small pool of its own: a hash takes 64 MiB and a processor.

So neither many who sign in at once nor somebody who only pretends to can take all memory, or all
the threads that answer everybody else.
"""

from __future__ import annotations

import os
import threading

from argon2 import PasswordHasher

from collector.access.bounded_queue import BoundedQueue

AT_ONCE = max(1, min(4, (os.cpu_count() or 2) // 2))
"""Hashes at a time: half of the processors."""

MOST_IN_QUEUE, OF_ONE_PLACE = 64, 8
"""Who wait for their turn, in all and of one network or known browser; whoever comes after them is
told to try again, so that nobody who floods from one place keeps others from the rest."""

_turns = threading.BoundedSemaphore(AT_ONCE)
_hasher = PasswordHasher()


def _bytes(password: str) -> bytes:
    """Whatever was typed, where a terminal has another encoding too."""
    return password.encode(errors="surrogatepass")


def hash_password(password: str) -> str:
    with _turns:
        return _hasher.hash(_bytes(password))


def verify(password_hash: str, password: str) -> None:
    """Raises what argon2 raises for a password that is not the one."""
    with _turns:
        _hasher.verify(password_hash, _bytes(password))


def is_old(password_hash: str) -> bool:
    """Whether it was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def hashing_queue() -> BoundedQueue:
    """For the web server's loop; of one network or known browser only so many wait."""
    return BoundedQueue("passwords", AT_ONCE, MOST_IN_QUEUE, OF_ONE_PLACE)
