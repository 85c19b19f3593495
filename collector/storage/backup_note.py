"""How the last backups went, noted in the state folder for the running collector.

It reads nothing of the folder that the backups are in: that may be on a server which hangs.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from edge.common import atomic_file

FILE = "backup.json"

AHEAD_S = 3600.0
"""A backup that is dated further ahead was made by a wrong clock, so nobody knows its age."""


class BackupNote(NamedTuple):
    """Of the newest backup that was read through: its number, name, when it was made (seconds since
    1970) and bytes; None and 0 where there is none yet. `good` of them are there; `damage` names
    those that are not what was written; `failure` is why the last run failed, or nothing, and
    `failure_at` when."""

    number: int = 0
    name: str = ""
    at: float | None = None
    size: int = 0
    good: int = 0
    damage: tuple[str, ...] = ()
    failure: str = ""
    failure_at: float = 0.0

    def age_s(self, now: float) -> float | None:
        """Of the newest one; None where that is not known."""
        if self.at is None or self.at > now + AHEAD_S:
            return None
        return max(0.0, now - self.at)

    def problem(self, now: float, late_after_s: float) -> str:
        """What IT has to know, in words, or nothing."""
        if self.failure:
            return f"the backup of {moment(self.failure_at)} failed ({self.failure})"
        if self.at is None:
            return "there is no backup yet"
        age_s = self.age_s(now)
        if age_s is None:
            return f"the newest backup is dated {moment(self.at)}, by a clock that was wrong"
        if age_s > late_after_s:
            return f"the newest backup is {age_s / 3600:.0f} hours old"
        if self.damage:
            return f"{', '.join(self.damage)} is not what was written"
        return ""


def moment(at: float) -> str:
    """A time as people read it, UTC."""
    try:
        return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return "an unknown time"


def read(state: Path) -> BackupNote:
    """What is not there, or damaged, is as if there had been no backup."""
    try:
        fields = json.loads((state / FILE).read_text(encoding="utf-8"))
        return _note(fields)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return BackupNote()


def _note(fields: Any) -> BackupNote:
    at = fields["at"]
    return BackupNote(
        int(fields["number"]),
        str(fields["name"]),
        None if at is None else float(at),
        int(fields["size"]),
        int(fields["good"]),
        tuple(map(str, fields["damage"])),
        str(fields["failure"]),
        float(fields["failure_at"]),
    )


def write(state: Path, note: BackupNote) -> None:
    """On the disk when it returns; raises OSError."""
    atomic_file.write(state / FILE, json.dumps(note._asdict()) + "\n", atomic_file.OWNER_ALONE)
