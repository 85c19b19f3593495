"""Backs up into a folder, killed at each step in turn; run by test_kill_backup.py.

    python -m tests.collector.backups.kill_backup FOLDER URL

Prints `ok` for each step, or what was wrong after it, or after the next run.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from collector.retention.backup_folder import LIST
from collector.storage import backup_note
from tests.collector.backups.place import Place
from tests.collector.storage.steps import killed_at

KEEP, WINDOWS = 2, 30


def cost(place: Place, former: dict[Path, bytes]) -> str:
    """Of a kill; nothing where all is well."""
    files = place.files()
    absent = [path.name for path in former if path not in files]
    newest = [path for path in files if path not in former]
    if absent and not newest:
        return f"gone before a newer one was there: {absent}"
    if len(files) < KEEP:
        return f"{len(files)} are left"
    for path, content in former.items():
        if path in files and path.read_bytes() != content:
            return f"{path.name} was changed"
    if place.restore(files[-1]) != WINDOWS:
        return "the newest cannot be restored whole"
    return ""


def next_run(place: Place) -> str:
    """What is not as it should be after it."""
    last = place.numbers()[-1]
    place.backup()
    if place.numbers()[-1] <= last:
        return f"numbers go back: {place.numbers()}"
    if len(place.files()) != KEEP or place.others() != {LIST}:
        return f"left: {place.numbers()}, {place.others()}"
    note = backup_note.read(place.state)
    if note.failure or (note.number, note.good) != (place.numbers()[-1], KEEP):
        return f"noted: {note}"
    return ""


def main(folder: Path, url: str) -> None:
    place = Place(folder, url, folder / "backups", keep=KEEP)
    place.fill(WINDOWS)
    for _ in range(KEEP):
        place.backup()
    for number in count(1):
        former = {path: path.read_bytes() for path in place.files()}
        step = killed_at(number, folder, place.backup)
        problem = cost(place, former) or next_run(place)
        print(f"{number} {step}: {problem}" if problem else "ok", flush=True)
        if not step:
            break


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
