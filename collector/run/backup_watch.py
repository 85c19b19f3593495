"""How backups are doing, for those who watch over the collector."""

from __future__ import annotations

import time
from typing import NamedTuple

from collector.config import CollectorSettings
from collector.storage import backup_note


class BackupState(NamedTuple):
    """`age_s` of the newest good one and its bytes, None where there is none; how many good ones
    there are; `problem` is what IT has to know, or nothing."""

    age_s: float | None
    size: int | None
    good: int
    problem: str


def backup_state(settings: CollectorSettings) -> BackupState | None:
    """None where nobody makes backups into a folder, or nobody wants to know."""
    own, state = settings.backup, settings.state
    place = own.place(state)
    if place is None or not own.watch:
        return None
    if own.folder is None and not place.exists() and not (state / backup_note.FILE).exists():
        return None  # of the installer's folder, which no installer made
    note, now = backup_note.read(state), time.time()
    problem = note.problem(now, own.late_after_hours * 3600)
    size = None if note.at is None else note.size
    return BackupState(note.age_s(now), size, note.good, problem)
