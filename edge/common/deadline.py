"""A deadline for what knows time-outs alone: a server that sends byte by byte keeps to each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_lock = threading.Lock()
_threads: dict[str, threading.Thread] = {}
"""By what they wait for: whoever was given up once is not asked again before they have ended."""


def within(seconds: float, act: Callable[[], T], name: str) -> T:
    """What `act` returns or raises; TimeoutError where it takes longer.

    It then goes on in a thread, called `name`, that nobody waits for, and while it does, every
    other try of that name is given up at once: there is never more than one.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(act())
        except BaseException as error:  # raised to whoever waits
            errors.append(error)

    with _lock:
        if name in _threads and _threads[name].is_alive():
            raise TimeoutError(f"{name}: its last answer is still on its way")
        thread = _threads[name] = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(f"{name}: no answer within {seconds:g} s")
    return results[0]
