"""Work that is done again every few seconds, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod

log = logging.getLogger(__name__)


class Rounds(ABC):
    """A thread between `start` and `stop`.

    Whatever goes wrong, such as a full disk or a database that is away, is said once and tried
    again at the next round.
    """

    def __init__(self, name: str, every_s: float, ends_in_s: float = 5) -> None:
        self._name, self._every_s, self._ends_in_s = name, every_s, ends_in_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Waits for the round that is under way, but not for long."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(self._ends_in_s)

    @abstractmethod
    def look(self) -> None:
        """One round."""

    def _run(self) -> None:
        trouble = ""
        while not self._stopping.is_set():
            try:
                self.look()
                trouble = ""
            except Exception as error:  # a thread that ended would be missed by nobody
                told = str(error).partition("\n")[0] or type(error).__name__
                if told != trouble:
                    log.error("%s: %s", self._name, told)
                trouble = told
            self._stopping.wait(self._every_s)
