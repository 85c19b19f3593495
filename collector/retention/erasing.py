"""Erasing a room or a lesson: noted first, then done, and done again wherever it comes back."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, any_, delete, func, select, text

from collector.lessons.repository import Lesson
from collector.storage import clock_doubt, lesson_numbers
from collector.storage.database import patient
from collector.storage.erasure_notes import Erasure
from collector.storage.erasures import Erasures, tells_of, window_conditions
from collector.storage.tables import deliveries, lessons, links, moods

log = logging.getLogger(__name__)

ROWS = 5000
"""In one transaction, so that windows that arrive meanwhile do not wait."""


def erase_room(erasures: Erasures, site: str, room: str) -> int:
    """Deletes a room's windows and lessons, what waits to be told of it, and every link to it;
    returns how many windows. What comes later of the time until now is not stored either."""
    clock_doubt.check(erasures.engine)
    now = time.time()
    whole = Erasure(site, room, 0.0, now)
    return _erase(erasures, [whole, *_dated_ahead(erasures.engine, whole)])


def erase_lesson(erasures: Erasures, lesson: Lesson) -> int:
    """Deletes a lesson with its windows; returns how many these were.

    Raises UserError, as `erase_room` does, while our clock is in doubt or the disk is full.
    """
    clock_doubt.check(erasures.engine)
    end = max(lesson.start, lesson.until)  # our clock may have been set back
    return _erase(erasures, [Erasure(lesson.site, lesson.room, lesson.start, end)])


def apply_notes(erasures: Erasures) -> int:
    """Erases again what the database has again; returns how many windows.

    It was put back, by `restore` or otherwise, as it was before an erasure that the collector's
    own folder has noted; or the erasure was killed before it began.
    """
    if erasures.notes is None:
        return 0
    in_database, in_notes = erasures.read(), erasures.read_notes()
    windows = 0
    if missing := [one for one in in_notes if one not in set(in_database)]:
        windows = _apply(erasures, missing)
        log.warning(
            "%d erasures were not in the database: %d windows deleted", len(missing), windows
        )
    if lacking := [one for one in in_database if one not in set(in_notes)]:
        erasures.notes.add(lacking)
    return windows


def apply_in(connection: Connection, erasures: Erasures, later: Sequence[Erasure]) -> None:
    """What is noted, and what is given, to a database that is being put back: it never shows what
    was erased, not even to whoever looks after a kill."""
    in_database = set(erasures.read(connection))
    in_notes = erasures.notes.whole() if erasures.notes else []
    missing = [one for one in dict.fromkeys([*in_notes, *later]) if one not in in_database]
    if missing:
        erasures.add(connection, missing)
    for one in missing:
        _erase_besides(connection, one)
        connection.execute(delete(moods).where(*window_conditions(one)))


def finish(erasures: Erasures) -> int:
    """Deletes windows that an erasure left, since it was killed; returns how many."""
    windows = 0
    for one in erasures.read():
        with patient(erasures.engine).connect() as connection:
            left = connection.execute(
                select(moods.c.id).where(*window_conditions(one)).limit(1)
            ).first()
        if left is not None:
            windows += delete_windows(erasures.engine, *window_conditions(one))
    return windows


def _dated_ahead(engine: Engine, whole: Erasure) -> list[Erasure]:
    """By their numbers: to erase the time until then would lose what comes when it is there."""
    here = (moods.c.site == whole.site, moods.c.room == whole.room, moods.c.start >= whole.end)
    runs = select(moods.c.boot, func.max(moods.c.seq)).where(*here).group_by(moods.c.boot)
    with patient(engine).connect() as connection:
        return [whole._replace(boot=boot, seq=seq) for boot, seq in connection.execute(runs)]


def _erase(erasures: Erasures, new_erasures: Sequence[Erasure]) -> int:
    erasures.note(new_erasures)
    return _apply(erasures, new_erasures)


def _apply(erasures: Erasures, new_erasures: Sequence[Erasure]) -> int:
    with patient(erasures.engine).begin() as connection:
        erasures.add(connection, new_erasures)
        for one in new_erasures:
            _erase_besides(connection, one)
    erasures.refresh()
    return sum(delete_windows(erasures.engine, *window_conditions(one)) for one in new_erasures)


def _erase_besides(connection: Connection, one: Erasure) -> None:
    """All but the windows."""
    if one.boot is not None:
        return
    lesson_numbers.keep(connection)
    ours: tuple[Any, ...] = (lessons.c.site == one.site, lessons.c.room == one.room)
    if one.is_of_room:
        connection.execute(delete(lessons).where(*ours, lessons.c.start < one.end))
        to_it = (links.c.site == one.site, links.c.room == one.room)
        connection.execute(delete(links).where(*to_it))
    else:
        connection.execute(delete(lessons).where(*ours, lessons.c.start == one.begin))
    for row in connection.execute(select(deliveries.c.id, deliveries.c.body)).all():
        if tells_of(row.body, one):
            connection.execute(delete(deliveries).where(deliveries.c.id == row.id))


def delete_windows(engine: Engine, *where: Any) -> int:
    """Some at a time; returns how many."""
    windows = 0
    while True:
        some = select(moods.c.id).where(*where).limit(ROWS).scalar_subquery()
        # As an array PostgreSQL looks each of them up; as a set it read the whole table for them.
        sqlite = engine.dialect.name == "sqlite"
        these = moods.c.id.in_(some) if sqlite else moods.c.id == any_(func.array(some))
        with patient(engine).begin() as connection:
            count = connection.execute(delete(moods).where(these)).rowcount
        windows += count
        if count < ROWS:
            break
    if windows and engine.dialect.name == "sqlite":
        # Deleted rows are overwritten; the journal may still hold them until it is emptied.
        with engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return windows
