"""How the class says it goes: taps on pupils' own devices, counted in rounds of five minutes.

Nothing tells one pupil from another: an answer adds one to a number. A round is told when it is
over, inexactly and under the same rule as what the camera counts: see `ballots` for why.
"""

from __future__ import annotations

import secrets
import time
from typing import Literal, NamedTuple, get_args

from sqlalchemy import Engine, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from collector.lessons.ballots import inexact
from collector.lessons.repository import Lesson
from collector.storage.tables import checkins
from edge.protocol.counts import disclose

ROUND_S = 300.0

Answer = Literal["well", "so_so", "lost"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)


class Round(NamedTuple):
    """One round that is over: `counts` is None where too few answered."""

    start: float
    answers: int | None
    counts: dict[str, int] | None


class CheckIns:
    """All rounds of all lessons."""

    def __init__(self, engine: Engine, key: bytes | None = None) -> None:
        """`key`: the collector's own, so that the errors of rounds stay the same."""
        self._engine = engine
        self._key = key or secrets.token_bytes(32)

    @staticmethod
    def round_of(lesson: Lesson, at: float | None = None) -> int:
        return int(((time.time() if at is None else at) - lesson.start) // ROUND_S)

    def add(self, lesson: Lesson, answer: Answer, at: float | None = None) -> int:
        """Counts one answer, now or at a moment of the lesson; returns its round."""
        number = self.round_of(lesson, at)
        kind = sqlite.insert if self._engine.dialect.name == "sqlite" else postgresql.insert
        row = {"lesson": lesson.id, "round": number, "answer": answer, "count": 1}
        insert = kind(checkins).values(row)
        more = insert.on_conflict_do_update(
            index_elements=["lesson", "round", "answer"],
            set_={"count": checkins.c.count + 1},
        )
        with self._engine.begin() as connection:
            connection.execute(more)
        return number

    def remove(self, lesson: Lesson, answer: str) -> None:
        """Takes one answer of the round that goes on back; there is never less than none."""
        here = (checkins.c.lesson == lesson.id, checkins.c.answer == answer)
        now = checkins.c.round == self.round_of(lesson)
        less = update(checkins).where(*here, now, checkins.c.count > 0)
        with self._engine.begin() as connection:
            connection.execute(less.values(count=checkins.c.count - 1))

    def answering(self, lesson: Lesson) -> int:
        """How many answered in the round that goes on: their number, and not what."""
        where = (checkins.c.lesson == lesson.id, checkins.c.round == self.round_of(lesson))
        query = select(func.sum(checkins.c.count)).where(*where)
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar() or 0)

    def rounds(self, lesson: Lesson) -> list[Round]:
        """Those that are over, oldest first, as they may be told."""
        query = select(checkins).where(checkins.c.lesson == lesson.id)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        now = self.round_of(lesson) if lesson.end is None else None
        rounds = []
        for number in sorted({row.round for row in rows if row.round != now}):
            counts: dict[str, int] = dict.fromkeys(ANSWERS, 0)
            counts |= {row.answer: row.count for row in rows if row.round == number}
            # SQLite gives the number of an erased lesson again: its start is its own.
            about = f"{lesson.id}/{lesson.start}/{number}"
            disclosure = disclose(inexact(counts, self._key, about))
            rounds.append(
                Round(lesson.start + number * ROUND_S, disclosure.faces, disclosure.counts)
            )
        return rounds
