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
from typing import Literal

from edge.common.atomic_file import write
from edge.common.errors import in_words
from edge.common.settings import Section
from edge.protocol.bundle import Bundle, write_out

log = logging.getLogger(__name__)

FOLDER, FILE, COPY = "updates", "slots.json", "slots.copy.json"
"""The copy is written second: where only one can be read, nothing older than it says is let in."""
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
    is_forgotten: bool = False
    """Whether file and copy were damaged, so that nobody knows that number: no update is taken."""


class Updates:
    """The device's updates, below its state folder."""

    def __init__(self, state: Path) -> None:
        self._folder = state / FOLDER

    def update_state(self) -> UpdateState:
        """As the file says, or else its copy; the number that only grows is the larger of both."""
        states = [self._read(name) for name in (FILE, COPY)]
        known_states = [one for one in states if isinstance(one, UpdateState)]
        if known_states:
            newest = max(one.newest for one in known_states)
            return known_states[0].model_copy(update={"newest": newest})
        if any(one == "damaged" for one in states):
            return UpdateState(is_forgotten=True)
        return UpdateState(newest=max(self._numbers(), default=0))

    def _read(self, name: str) -> UpdateState | Literal["damaged", "missing"]:
        path = self._folder / name
        try:
            return UpdateState.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return "missing"
        except (OSError, ValueError) as error:
            log.error("%s: cannot be read (%s)", path, in_words(error))
            return "damaged"

    def _numbers(self) -> list[int]:
        """Of the updates that lie there."""
        names = [path.name for path in self._folder.glob("*/")]
        return [int(name) for name in names if name.isascii() and name.isdecimal()]

    def place(self, number: int) -> Path:
        return self._folder / str(number)

    def refusal(self, number: int) -> str | None:
        """Why an update is not to be taken, if it is not."""
        update_state = self.update_state()
        if number == update_state.refused:
            return update_state.because
        if update_state.is_forgotten:
            return (
                f"a downgrade cannot be told: {self._folder / FILE} and its copy are damaged; "
                f"delete {self._folder} on the device, and sign a new update"
            )
        if number <= update_state.newest:
            return f"a downgrade: number {update_state.newest} was installed before"
        return None

    def stage(self, bundle: Bundle) -> None:
        """To be tried at the agent's next start."""
        number = bundle.manifest.number
        folder = self.place(number)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_out(bundle, folder)
        os.sync()
        self._write(self.update_state(), trying=number, starts=0, newest=number)

    def refuse(self, number: int, because: str) -> None:
        """An update that was not even tried."""
        self._write(self.update_state(), refused=number, because=because[:200])

    def begin(self) -> int | None:
        """At the agent's start: the update to use, counted as a start where it is on trial."""
        update_state = self.update_state()
        if update_state.trying is None:
            return self._begin_current(update_state)
        if update_state.starts >= STARTS:
            self.roll_back("the agent did not get through one window with it")
            return update_state.current
        if not self._note(update_state, starts=update_state.starts + 1):
            return update_state.current  # starts that nobody counts would never end
        return update_state.trying

    def _begin_current(self, update_state: UpdateState) -> int | None:
        if not update_state.can_go_back:
            return update_state.current
        if update_state.starts < LATER_STARTS:
            self._note(update_state, starts=update_state.starts + 1)
            return update_state.current
        because = f"the agent ended {LATER_STARTS} times before a window's end"
        log.error("update %d: undone: %s", update_state.current, because)
        back = {"current": update_state.before, "before": None, "can_go_back": False, "starts": 0}
        self._note(update_state, **back, refused=update_state.current, because=because)
        self._tidy()
        return update_state.before

    def keep(self) -> None:
        """It brought a whole window: from now on it is what one goes back to."""
        update_state = self.update_state()
        if update_state.trying is not None:
            log.info("update %d: kept", update_state.trying)
            promotion = {
                "current": update_state.trying,
                "before": update_state.current,
                "can_go_back": True,
            }
            self._note(update_state, **promotion, trying=None, starts=0)
            self._tidy()

    def works(self) -> None:
        """A whole window, or a run that did not crash, with what is in use."""
        update_state = self.update_state()
        if update_state.trying is None and update_state.starts:
            self._note(update_state, starts=0)

    def roll_back(self, because: str) -> None:
        update_state = self.update_state()
        if update_state.trying is not None:
            log.error("update %d: rolled back: %s", update_state.trying, because)
            reason = because[:200]
            self._note(
                update_state, trying=None, starts=0, refused=update_state.trying, because=reason
            )
            self._tidy()

    def can_write(self) -> bool:
        """Whether there is room again to try an update that waits."""
        try:
            self._write(self.update_state())
        except OSError:
            return False
        return True

    def _note(self, update_state: UpdateState, **changes: int | str | bool | None) -> bool:
        """For an agent that has a room to watch: a disk that is full or broken does not end it."""
        try:
            self._write(update_state, **changes)
        except OSError as error:
            log.error(
                "%s: cannot be written (%s): updates wait; make room on the disk",
                self._folder / FILE,
                error.strerror,
            )
            return False
        return True

    def _write(self, update_state: UpdateState, **changes: int | str | bool | None) -> None:
        content = update_state.model_dump(exclude={"is_forgotten"}) | changes
        if update_state.is_forgotten:
            content["is_forgotten"] = True
        for name in (FILE, COPY):
            write(self._folder / name, json.dumps(content))

    def _tidy(self) -> None:
        update_state = self.update_state()
        numbers = {
            str(number)
            for number in (update_state.current, update_state.trying, update_state.before)
        }
        for old in self._folder.iterdir():
            if old.is_dir() and old.name not in numbers:
                shutil.rmtree(old)
