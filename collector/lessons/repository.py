"""Lessons, their notes and markers, as the database has them."""

from __future__ import annotations

import secrets
import time
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Engine, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from collector.storage import lesson_numbers
from collector.storage.database import begin
from collector.storage.tables import accounts, erasures, lessons, markers
from edge.common.errors import UserError

How = Literal["timetable", "button", "found"]

CODE_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""None that looks like another on a blackboard."""
CODE_LENGTH = 5

TITLE, NOTES, MARKER = 120, 5000, 120
"""Letters at most."""

MOST_MARKERS = 200
"""Of a lesson: its page and its report draw all of them."""


class Lesson(NamedTuple):
    """`end` is None while it goes on; times are seconds since 1970."""

    id: int
    site: str
    room: str
    title: str
    teacher: str | None
    start: float
    end: float | None
    planned_end: float | None
    how: How
    notes: str
    code: str | None
    summary: dict[str, Any] | None
    account: int | None = None
    """Whose it is; a lesson without one, but with a teacher's name, is no account's."""

    @property
    def until(self) -> float:
        return self.end if self.end is not None else time.time()


class Marker(NamedTuple):
    at: float
    text: str
    id: int = 0


class LessonFilter(NamedTuple):
    """Which lessons of a list: those that start in a time, and have a text in title, room or
    teacher; `offset` skips the newest of them."""

    begin: float | None = None
    end: float | None = None
    text: str = ""
    offset: int = 0

    def conditions(self) -> list[Any]:
        conditions: list[Any] = []
        if self.begin is not None:
            conditions.append(lessons.c.start >= self.begin)
        if self.end is not None:
            conditions.append(lessons.c.start < self.end)
        for word in self.text.split()[:5]:
            columns = (lessons.c.title, lessons.c.room, lessons.c.teacher)
            conditions.append(or_(*(column.icontains(word, autoescape=True) for column in columns)))
        return conditions


EVERY_LESSON = LessonFilter()


class LessonRepository:
    """Safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(
        self,
        site: str,
        room: str,
        title: str,
        how: How,
        *,
        teacher: str | None = None,
        account: int | None = None,
        start: float | None = None,
        planned_end: float | None = None,
    ) -> Lesson | None:
        """A lesson from now, or from `start`; None where that one has been begun before, or erased.

        It belongs to `account`, or to the one that the timetable calls `teacher`. Whatever else
        goes on in the room ends.
        """
        moment = time.time() if start is None else start
        row = {
            "site": site,
            "room": room,
            "title": title.strip()[:TITLE] or "Lesson",
            "teacher": teacher,
            "account": account,
            "start": moment,
            "planned_end": planned_end,
            "how": how,
            "code": "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH)),
        }
        same_room = (lessons.c.site == site, lessons.c.room == room)
        try:
            with begin(self._engine) as connection:
                if start is not None and _is_erased(connection, site, room, start):
                    return None
                ending = {"end": max(moment, 0.0), "code": None}
                if account is None and teacher is not None:
                    owner = select(accounts.c.id).where(accounts.c.timetable == teacher)
                    row["account"] = connection.execute(owner).scalar()
                running = (*same_room, lessons.c.end.is_(None), lessons.c.start < moment)
                connection.execute(update(lessons).where(*running).values(ending))
                number = lesson_numbers.number_for_new(connection)
                connection.execute(insert(lessons).values(row | number))
        except IntegrityError:
            return None
        with self._engine.connect() as connection:
            query = select(lessons).where(*same_room, lessons.c.start == moment)
            return _lesson(connection.execute(query).one())

    def end(self, lesson: Lesson, at: float | None = None) -> None:
        values = {"end": max(lesson.start, at or time.time()), "code": None}
        self._change(lesson, values, lessons.c.end.is_(None))

    def describe(self, lesson: Lesson, title: str, notes: str) -> None:
        self._change(lesson, {"title": title.strip()[:TITLE] or "Lesson", "notes": notes[:NOTES]})

    def adopt(self, lesson: Lesson, title: str, teacher: str | None, account: int | None) -> None:
        """A lesson that was found gets its name and its teacher, and keeps all else it has."""
        values = {"title": title.strip()[:TITLE] or "Lesson", "teacher": teacher}
        self._change(lesson, values | {"account": account}, lessons.c.account.is_(None))

    def keep_summary(self, lesson: Lesson, summary: dict[str, Any]) -> None:
        self._change(lesson, {"summary": summary})

    def _change(self, lesson: Lesson, values: dict[str, Any], *where: Any) -> None:
        with self._engine.begin() as connection:
            statement = update(lessons).where(lessons.c.id == lesson.id, *where).values(values)
            connection.execute(statement)

    def mark(self, lesson: Lesson, text: str, at: float | None = None) -> None:
        """Sets a marker now, or at a moment of the lesson (seconds since 1970)."""
        if not text.strip():
            raise UserError("no text", "marker", "write what begins now")
        when = time.time() if at is None else min(max(at, lesson.start), lesson.until)
        row = {"lesson": lesson.id, "at": when, "text": text.strip()[:MARKER]}
        own = select(func.count()).where(markers.c.lesson == lesson.id)
        with self._engine.begin() as connection:
            if int(connection.execute(own).scalar_one()) >= MOST_MARKERS:
                raise UserError(
                    f"has {MOST_MARKERS} markers already", "lesson", "remove some that say nothing"
                )
            connection.execute(insert(markers).values(row))

    def markers(self, lesson: Lesson) -> list[Marker]:
        query = select(markers).where(markers.c.lesson == lesson.id).order_by(markers.c.at)
        with self._engine.connect() as connection:
            return [Marker(row.at, row.text, row.id) for row in connection.execute(query)]

    def change_marker(self, lesson: Lesson, number: int, text: str, at: float) -> None:
        """Renames or moves a marker of the lesson; without a text it is removed."""
        where = (markers.c.id == number, markers.c.lesson == lesson.id)
        when = min(max(at, lesson.start), lesson.until)
        change: Any = update(markers).where(*where).values(text=text.strip()[:MARKER], at=when)
        with self._engine.begin() as connection:
            connection.execute(change if text.strip() else delete(markers).where(*where))

    def erase(self, lesson: Lesson) -> None:
        with self._engine.begin() as connection:
            lesson_numbers.keep(connection)
            connection.execute(delete(lessons).where(lessons.c.id == lesson.id))

    def lesson(self, number: int) -> Lesson:
        """Raises UserError where there is none."""
        matches = self._some(lessons.c.id == number)
        if not matches:
            raise UserError("no such lesson", f"lesson {number}", "see the list of lessons")
        return matches[0]

    def by_code(self, code: str) -> Lesson | None:
        matches = self._some(lessons.c.code == code.strip().lower())
        return matches[0] if matches else None

    def running(self, site: str | None = None, room: str | None = None) -> list[Lesson]:
        """Those that go on now; of one room there is at most one."""
        where: list[Any] = [lessons.c.end.is_(None)]
        if site is not None:
            where += [lessons.c.site == site, lessons.c.room == room]
        return self._some(*where)

    def earlier(self, lesson: Lesson, limit: int = 12) -> list[Lesson]:
        """Lessons of the same title and teacher in this room's site before it, newest first.

        Of a lesson that is no account's, in this room alone.
        """
        where = [lessons.c.site == lesson.site, lessons.c.title == lesson.title]
        where += [lessons.c.start < lesson.start, lessons.c.end.is_not(None)]
        where += [lessons.c.teacher == lesson.teacher, lessons.c.account == lesson.account]
        if lesson.account is None:
            where.append(lessons.c.room == lesson.room)
        return self._some(*where, limit=limit)

    def of(
        self,
        account: int | None = None,
        rooms: frozenset[tuple[str, str]] | None = None,
        limit: int = 200,
        only: LessonFilter = EVERY_LESSON,
    ) -> list[Lesson]:
        """Newest first: all, or an account's own and nobody's in its rooms."""
        where = only.conditions()
        if rooms is None:
            return self._some(*where, limit=limit, offset=only.offset)
        nobody = lessons.c.account.is_(None) & lessons.c.teacher.is_(None)
        nobodys = [
            (lessons.c.site == site) & (lessons.c.room == room) & nobody for site, room in rooms
        ]
        where.append(or_(lessons.c.account == account, *nobodys))
        return self._some(*where, limit=limit, offset=only.offset)

    def ended_without_summary(self) -> list[Lesson]:
        return self._some(lessons.c.end.is_not(None), lessons.c.summary.is_(None))

    def _some(self, *where: Any, limit: int = 1000, offset: int = 0) -> list[Lesson]:
        newest = (lessons.c.start.desc(), lessons.c.id.desc())
        query = select(lessons).where(*where).order_by(*newest).limit(limit).offset(offset)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [_lesson(row) for row in rows if row.start is not None]


def _is_erased(connection: Connection, site: str, room: str, start: float) -> bool:
    """Neither timetable nor a full room begins a lesson again that was erased while it went on."""
    here = (erasures.c.site == site, erasures.c.room == room, erasures.c.boot.is_(None))
    then = (erasures.c.begin <= start, erasures.c.end > start)
    query = select(erasures.c.id).where(*here, *then).limit(1)
    return connection.execute(query).first() is not None


def _lesson(row: Any) -> Lesson:
    lesson = Lesson(*(getattr(row, field) for field in Lesson._fields))
    return lesson if isinstance(lesson.summary, dict) else lesson._replace(summary=None)
