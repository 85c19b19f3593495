"""Long-lived threads: each goes on whatever happens, says so, and lets health see how it does.

A thread that ends unseen is missed by nobody until somebody needs what it did. A worker's loop ends
only when it is stopped; what goes wrong is said when it begins and when it is over, not each time.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
"""After a turn that failed; twice as long each time."""

PATIENCE_S = 60.0
"""How long a turn may take, unless a worker says otherwise."""

IDLE_S = 5.0
"""A queue that is empty for so long has nothing wrong with it any more."""

T = TypeVar("T")


class Worker(ABC):
    """A named thread between `start` and `stop` that calls `run_once` again and again.

    Between turns it rests for `every_s` seconds, or until `wake`. A turn that fails is tried again
    after a wait that grows to `longest_wait_s`, and sooner when woken or stopped. A turn that lasts
    for longer than `patience_s` without a `beat` counts as one that stands still; of one that waits
    for somebody else's machine (`waits_for_others`) that is told, but is no reason for a new
    process, which would wait for the same machine.
    """

    def __init__(
        self,
        name: str,
        every_s: float = 0.0,
        *,
        patience_s: float = PATIENCE_S,
        ends_in_s: float = 5.0,
        longest_wait_s: float = LONGEST_WAIT_S,
        waits_for_others: bool = False,
    ) -> None:
        self.name = name
        self._every_s, self._patience_s, self._ends_in_s = every_s, patience_s, ends_in_s
        self._waits_for_others = waits_for_others
        self._longest_wait_s = longest_wait_s
        self._trouble = ""
        self._wait_s = FIRST_WAIT_S
        self._failures: list[str] = []
        self._last_move: float | None = None
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None

    @abstractmethod
    def run_once(self) -> None:
        """One turn; whatever it raises is said, and the next turn comes all the same."""

    def finish(self) -> None:  # noqa: B027  # most have nothing to do here
        """Called once in the thread after the last turn: what must not be left undone."""

    @contextlib.contextmanager
    def attempt(self, what: str) -> Iterator[None]:
        """Around one of a turn's items: where it fails it is said, and the others are done."""
        try:
            yield
        except Exception as error:
            self._failures.append(f"{what}: {first_line(error)}")

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Ends the rest, or the wait after a failure."""
        self._woken.set()

    def stop(self) -> bool:
        """Waits for the turn under way, but not for long; returns whether the thread has ended."""
        self._stopping.set()
        self._woken.set()
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return True
        thread.join(self._ends_in_s)
        if thread.is_alive():
            log.warning("%s: still busy after %g s: not waited for", self.name, self._ends_in_s)
        return not thread.is_alive()

    @property
    def trouble(self) -> str:
        """Why the last turn failed, or nothing."""
        return self._trouble

    @property
    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def still(self) -> float:
        """For how many seconds a turn has not moved; 0 between turns."""
        last_move = self._last_move
        return 0.0 if last_move is None else time.monotonic() - last_move

    def fatal_problem(self) -> str:
        """What only a new process can mend, or nothing."""
        if not self.is_alive:
            return "its thread has ended"
        return "" if self._waits_for_others else self._standstill()

    def problem(self) -> str:
        """Why it does not do its work now, or nothing."""
        return self.fatal_problem() or self._standstill() or self._trouble

    def _standstill(self) -> str:
        is_still = self.still() > self._patience_s
        return f"has not moved for {self._patience_s:g} s" if is_still else ""

    def beat(self) -> None:
        """A sign of life from within a long turn: it moves, and works."""
        if self._last_move is not None:
            self._last_move = time.monotonic()
        self._turn()

    def _turn(self) -> None:
        if self._failures:
            self._say(self._failures[0])
            return
        self._wait_s = FIRST_WAIT_S
        if self._trouble:
            log.info("%s: works again", self.name)
            self._trouble = ""

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:
            about = trouble.removeprefix(f"{self.name}: ")
            log.error("%s: %s; trying again", self.name, about)
        self._trouble = trouble

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._failures.clear()
            self._last_move = time.monotonic()
            try:
                self.run_once()
                rest = self._every_s
                self._turn()
            except (Exception, SystemExit) as error:  # whatever it was, the thread must not end
                rest, self._wait_s = self._wait_s, min(2 * self._wait_s, self._longest_wait_s)
                self._say(first_line(error))
            self._last_move = None
            if rest:
                self._woken.wait(rest)
            self._woken.clear()
        with self.attempt("the end"):
            self.finish()
        if self._failures:
            self._say(self._failures[-1])


class QueueWorker(Worker, Generic[T]):
    """Does something about each item that was `put`, in order; what failed is tried again.

    At most `most` items wait. Past that the oldest go, which is counted and said: whoever puts is
    never held up.
    """

    def __init__(self, name: str, most: int, *, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        super().__init__(name, every_s=IDLE_S, longest_wait_s=longest_wait_s)
        self._most = most
        self._items: deque[T] = deque()
        self._lock = threading.Lock()
        self.drop_count = 0

    @abstractmethod
    def handle(self, item: T) -> None:
        """One item; whatever it raises keeps the item for another try."""

    def put(self, item: T) -> None:
        """Safe to call from any thread; never raises, never waits."""
        with self._lock:
            self._items.append(item)
            full = len(self._items) > self._most
            if full:
                self._items.popleft()
                self.drop_count += 1
        if full and self.drop_count == 1:
            log.error("%s: %d wait: the oldest are dropped", self.name, self._most)
        if not self._trouble:
            self.wake()

    def __len__(self) -> int:
        return len(self._items)

    def run_once(self) -> None:
        """Everything that waits."""
        while True:
            with self._lock:
                if not self._items:
                    return
                item = self._items[0]
            self.handle(item)
            with self._lock:
                if self._items and self._items[0] is item:  # else it was dropped meanwhile
                    self._items.popleft()
            self.beat()

    def finish(self) -> None:
        """What waits is done before the end; what fails now is lost, and that is said."""
        try:
            self.run_once()
        finally:
            if self._items:
                log.error("%s: %d were not done before the end", self.name, len(self._items))


class Workers:
    """Workers that begin in one order and end in the other.

    Each may use those that stand before it, and so never one that has been stopped.
    """

    def __init__(self, workers: Iterable[Worker]) -> None:
        self._workers = tuple(workers)

    def __iter__(self) -> Iterator[Worker]:
        return iter(self._workers)

    def start(self) -> None:
        for worker in self._workers:
            worker.start()

    def stop(self) -> bool:
        """Whether all have ended; one that has not may still use what it was given."""
        have_ended = [worker.stop() for worker in reversed(self._workers)]
        return all(have_ended)

    def problems(self) -> dict[str, str]:
        """What does not work now, by name, and why."""
        return {worker.name: why for worker in self._workers if (why := worker.problem())}

    def fatal_problem(self) -> dict[str, str]:
        """What only a new process can mend, by name, and why."""
        return {worker.name: why for worker in self._workers if (why := worker.fatal_problem())}


def first_line(error: BaseException) -> str:
    """What an error says, without what nobody reads."""
    return str(error).partition("\n")[0] or type(error).__name__
