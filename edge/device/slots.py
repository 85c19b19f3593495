"""Which update is in use, which is being tried, and which was refused.

An update is tried in a run of its own. It has two starts to bring one whole window; a run that ends
before that, or stands still, sends the device back to what worked. One that was kept and only later
ends run after run goes back too. Nothing is deleted that is in use or may be gone back to, so no
update can leave a device without one.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from pathlib import Path

from pydantic import ValidationError

from edge.common.atomic_file import write
from edge.common.errors import in_words
from edge.common.settings import Section
from edge.protocol.bundle import Bundle, write_out

log = logging.getLogger(__name__)

FOLDER, FILE = "updates", "slots.json"
STARTS = 2
"""One more than none, since a power cut is no fault of an update's."""
LATER_STARTS = 5
"""In a row that brought no window, of an update that was kept: nobody switches off so often."""


class UpdateState(Section):
    """The file."""

    current: int | None = None
    trying: int | None = None
    before: int | None = None
    """What was current before, while `can_go_back` says that it is still there."""
    can_go_back: bool = False
    starts: int = 0
    """Since the last whole window."""
    refused: int | None = None
    because: str = ""
    newest: int = 0
    """The highest number that was ever taken: what is lower is a downgrade."""


class Updates:
    """The device's updates, below its state folder."""

    def __init__(self, state: Path) -> None:
        self._folder = state / FOLDER

    def slots(self) -> UpdateState:
        try:
            return UpdateState.model_validate_json(
                (self._folder / FILE).read_text(encoding="utf-8")
            )
        except FileNotFoundError:
            return UpdateState()
        except (OSError, ValidationError) as error:
            log.error(
                "%s: cannot be read (%s); continuing without updates",
                self._folder / FILE,
                in_words(error),
            )
            return UpdateState()

    def place(self, number: int) -> Path:
        return self._folder / str(number)

    def refusal(self, number: int) -> str | None:
        """Why an update is not to be taken, if it is not."""
        slots = self.slots()
        if number == slots.refused:
            return slots.because
        if number <= slots.newest:
            return f"a downgrade: number {slots.newest} was installed before"
        return None

    def stage(self, bundle: Bundle) -> None:
        """To be tried at the agent's next start."""
        number = bundle.manifest.number
        folder = self.place(number)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_out(bundle, folder)
        os.sync()
        self._write(self.slots(), trying=number, starts=0, newest=number)

    def refuse(self, number: int, because: str) -> None:
        """An update that was not even tried."""
        self._write(self.slots(), refused=number, because=because[:200])

    def begin(self) -> int | None:
        """At the agent's start: the update to use, counted as a start where it is on trial."""
        slots = self.slots()
        if slots.trying is None:
            return self._begin_kept(slots)
        if slots.starts >= STARTS:
            self.roll_back("the agent did not get through one window with it")
            return slots.current
        if not self._note(slots, starts=slots.starts + 1):
            return slots.current  # starts that nobody counts would never end
        return slots.trying

    def _begin_kept(self, slots: UpdateState) -> int | None:
        if not slots.can_go_back:
            return slots.current
        if slots.starts < LATER_STARTS:
            self._note(slots, starts=slots.starts + 1)
            return slots.current
        because = f"the agent ended {LATER_STARTS} times before a window's end"
        log.error("update %d: undone: %s", slots.current, because)
        back = {"current": slots.before, "before": None, "can_go_back": False, "starts": 0}
        self._note(slots, **back, refused=slots.current, because=because)
        self._tidy()
        return slots.before

    def keep(self) -> None:
        """It brought a whole window: from now on it is what one goes back to."""
        slots = self.slots()
        if slots.trying is not None:
            log.info("update %d: kept", slots.trying)
            promotion = {"current": slots.trying, "before": slots.current, "can_go_back": True}
            self._note(slots, **promotion, trying=None, starts=0)
            self._tidy()

    def works(self) -> None:
        """A whole window, or a run that did not crash, with what is in use."""
        slots = self.slots()
        if slots.trying is None and slots.starts:
            self._note(slots, starts=0)

    def roll_back(self, because: str) -> None:
        slots = self.slots()
        if slots.trying is not None:
            log.error("update %d: rolled back: %s", slots.trying, because)
            reason = because[:200]
            self._note(slots, trying=None, starts=0, refused=slots.trying, because=reason)
            self._tidy()

    def can_write(self) -> bool:
        """Whether there is room again to try an update that waits."""
        try:
            self._write(self.slots())
        except OSError:
            return False
        return True

    def _note(self, slots: UpdateState, **changed: int | str | bool | None) -> bool:
        """For an agent that has a room to watch: a disk that is full or broken does not end it."""
        try:
            self._write(slots, **changed)
        except OSError as error:
            log.error(
                "%s: cannot be written (%s): updates wait; make room on the disk",
                self._folder / FILE,
                error.strerror,
            )
            return False
        return True

    def _write(self, slots: UpdateState, **changed: int | str | bool | None) -> None:
        write(self._folder / FILE, json.dumps(slots.model_dump() | changed))

    def _tidy(self) -> None:
        slots = self.slots()
        numbers = {str(number) for number in (slots.current, slots.trying, slots.before)}
        for old in self._folder.iterdir():
            if old.is_dir() and old.name not in numbers:
                shutil.rmtree(old)
