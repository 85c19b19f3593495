"""Backs up, restores and erases, killed at each statement in turn; run by test_kill_keeping.py.

    python -m tests.collector.storage.kill_keeping WHAT FOLDER URL OTHER

Prints, for each statement, `ok`, or what was wrong after the next try.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, func, select

from collector.access.secret import own_key
from collector.lessons.repository import LessonRepository
from collector.retention.backup import backup, restore
from collector.retention.erasing import apply_noted, erase_room, finish
from collector.storage.database import connect
from collector.storage.erasure_notes import FILE
from collector.storage.erasures import Erasures
from collector.storage.store import Store
from collector.storage.tables import metadata, moods
from tests.conftest import mood

WINDOWS = 60


def killed_at(number: int, url: str, act: Callable[[Engine], object]) -> bool:
    """Whether it had so many statements; the child never comes back otherwise."""
    child = os.fork()
    if not child:
        engine, counter = connect(url), count(1)

        def counted(*_: Any) -> None:
            if next(counter) == number:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(engine, "after_cursor_execute", counted)
        event.listen(engine, "commit", counted)
        act(engine)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def stored(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(moods)).scalar_one())


def empty(url: str) -> None:
    engine = connect(url)
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    engine.dispose()


def full(url: str) -> None:
    empty(url)
    engine = connect(url)
    Store(engine).add([mood(seq=n) for n in range(WINDOWS)])
    Store(engine).add([mood(room="r102", seq=n) for n in range(WINDOWS)])
    LessonRepository(engine).begin("school", "r101", "Optics", "button")
    engine.dispose()


def after_backup(folder: Path, url: str, other: str) -> str:
    """Whether the data is as it was, and the next backup can be restored."""
    empty(other)
    engine, target = connect(url), connect(other)
    rows = backup(engine, folder / "state", folder / "again.tar.gz")
    same = restore(target, folder / "elsewhere", folder / "again.tar.gz") == rows
    left = stored(engine)
    engine.dispose()
    target.dispose()
    return "ok" if same and left == 2 * WINDOWS else f"{left} windows, the same: {same}"


def after_restore(folder: Path, other: str) -> str:
    """Whether the database is as empty as before, or whole."""
    engine = connect(other)
    left = stored(engine)
    if not left:
        restore(engine, folder / "elsewhere", folder / "whole.tar.gz")
    lessons = len(LessonRepository(engine).of())
    left = stored(engine)
    engine.dispose()
    return "ok" if (left, lessons) == (2 * WINDOWS, 1) else f"{left} windows, {lessons} lessons"


def after_erase(url: str, state: Path) -> str:
    """Whether the next start goes on with it, or it has not begun and can be done; what is erased
    does not come back, and nothing else is."""
    engine = connect(url)
    erasures = Erasures(engine, state)
    apply_noted(erasures)
    finish(erasures)
    if not erasures.spans("school", "r101"):
        erase_room(erasures, "school", "r101")
    with engine.connect() as connection:
        rooms = connection.execute(select(moods.c.room).distinct()).scalars().all()
    left, lessons = stored(engine), len(LessonRepository(engine).of())
    is_covered = Erasures(engine).covers(mood())
    engine.dispose()
    good = (list(rooms), left, lessons, is_covered) == (["r102"], WINDOWS, 0, True)
    return "ok" if good else f"{rooms}, {left} windows, {lessons} lessons, {is_covered}"


def once(what: str, number: int, folder: Path, url: str, other: str) -> tuple[bool, str]:
    state = folder / "state"
    if what == "backup":
        former, out = (folder / "whole.tar.gz").read_bytes(), folder / "b.tar.gz"
        out.write_bytes(former)
        was = killed_at(number, url, lambda engine: backup(engine, state, out))
        if was and out.read_bytes() != former:
            return was, "the former backup is not as it was"
        return was, after_backup(folder, url, other)
    if what == "restore":
        empty(other)
        file = folder / "whole.tar.gz"
        was = killed_at(number, other, lambda engine: restore(engine, folder / "elsewhere", file))
        return was, after_restore(folder, other)
    full(url)
    (state / FILE).unlink(missing_ok=True)
    was = killed_at(
        number, url, lambda engine: erase_room(Erasures(engine, state), "school", "r101")
    )
    engine = connect(url)
    has_begun = Erasures(engine).covers(mood()) or (state / FILE).exists()
    is_short = stored(engine) < 2 * WINDOWS or not LessonRepository(engine).of()
    engine.dispose()
    if is_short and not has_begun:
        return was, "windows would be taken again that are being erased"
    return was, after_erase(url, state)


if __name__ == "__main__":
    name, place, first, second = sys.argv[1:]
    own_key(Path(place) / "state")
    full(first)
    source = connect(first)
    backup(source, Path(place) / "state", Path(place) / "whole.tar.gz")
    source.dispose()
    for statement in count(1):
        was_killed, found = once(name, statement, Path(place), first, second)
        print(found, flush=True)
        if not was_killed:
            break
