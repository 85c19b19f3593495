"""Rooms and their newest windows, from one to the next by index: no scan of all windows.

An index that begins with site and room leads from each room to the next, however many windows lie
between (https://wiki.postgresql.org/wiki/Loose_indexscan).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, case, func, literal, select, union
from sqlalchemy.sql.expression import CTE

from collector.storage.tables import moods


def every_room() -> CTE:
    """A row for each room that has windows; the last row is empty."""
    least = select(func.min(moods.c.site)).scalar_subquery()
    rooms = select(least.label("site"), _first_room(least).label("room")).cte(
        "known_room", recursive=True
    )
    here = select(func.min(moods.c.room))
    here = here.where(moods.c.site == rooms.c.site, moods.c.room > rooms.c.room)
    following = select(func.min(moods.c.site)).where(moods.c.site > rooms.c.site)
    of_site = here.correlate(rooms).scalar_subquery()
    next_site = following.correlate(rooms).scalar_subquery()
    step = select(
        case((of_site.is_not(None), rooms.c.site), else_=next_site),
        func.coalesce(of_site, _first_room(next_site)),
    ).where(rooms.c.site.is_not(None))
    return rooms.union_all(step)


def _first_room(site: Any) -> Any:
    first = moods.alias()
    return select(func.min(first.c.room)).where(first.c.site == site).scalar_subquery()


def rooms_query() -> Select[Any]:
    rooms = every_room()
    return select(rooms.c.site, rooms.c.room).where(rooms.c.site.is_not(None))


def due_query(site: str, before: float, *where: Any) -> Select[Any]:
    """A site's rooms that have a window from before a moment, for which the conditions hold."""
    rooms = every_room()
    here = (moods.c.site == rooms.c.site, moods.c.room == rooms.c.room)
    old = select(moods.c.id).where(*here, moods.c.start < before, *where).limit(1)
    # Not EXISTS: PostgreSQL makes a join of that, for which it reads all of the site's windows.
    first = old.correlate(rooms).scalar_subquery()
    return select(rooms.c.room).where(rooms.c.site == site, first.is_not(None))


def newest_query(now: float) -> Select[Any]:
    """The last window, by number, of the runs that a room's newest windows belong to.

    By their times these are two at most: the newest of all, and the newest of those that have
    begun by `now`, since a clock that was wrong has dated some ahead.
    """
    rooms = every_room()

    def of_room(*where: Any) -> Any:
        here = (moods.c.site == rooms.c.site, moods.c.room == rooms.c.room)
        newest = select(moods.c.id).where(*here, *where).order_by(moods.c.start.desc()).limit(1)
        return select(newest.correlate(rooms).scalar_subquery().label("id")).where(
            rooms.c.site.is_not(None)
        )

    runs = union(of_room(), of_room(moods.c.start <= literal(now))).subquery()
    of_run = moods.alias()
    last = moods.alias()
    same = (last.c[name] == of_run.c[name] for name in ("site", "room", "device", "boot"))
    number = select(last.c.id).where(*same).order_by(last.c.seq.desc()).limit(1)
    ids = (
        select(number.correlate(of_run).scalar_subquery())
        .select_from(of_run)
        .where(of_run.c.id.in_(select(runs.c.id)))
    )
    return select(moods).where(moods.c.id.in_(ids))
