"""What is kept of a lesson: its averages over time, made from its windows while they are there."""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from collector.lessons.coverage import Coverage, coverage
from collector.lessons.repository import Lesson, LessonRepository
from collector.live.history import mean_counts
from collector.live.shares import Share, shares
from collector.storage.store import Store
from edge.protocol.messages import OTHER, UNCERTAIN, Mood

log = logging.getLogger(__name__)

SLOTS = 60
SHORTEST_SLOT_S = 30.0
LATE_S = 86_400.0
"""For a day after a lesson windows may still come, from a device that was cut off."""


STATE = "made_from"
"""Beside a kept summary: the state of the windows that it was made from, and the lesson's end."""


class Slot(BaseModel):
    """A part of the lesson: mean counts of its windows, or why there are none."""

    start: datetime
    seconds: float
    faces: float | None
    counts: dict[str, float] | None
    withheld: str | None


class Summary(BaseModel):
    """A lesson's averages; counts are faces, typical for a window, weighted by time."""

    seconds_told: float = Field(description="For how long expressions were told.")
    faces: float | None = Field(description="The mean number of faces, where it was told.")
    counts: dict[str, float]
    shares: dict[str, Share]
    model: str
    coverage: Coverage
    slots: list[Slot]


def summarize(moods: Sequence[Mood], begin: datetime, end: datetime) -> Summary:
    """Of the windows that start within a time, which must be later than it began."""
    within = [mood for mood in moods if begin <= mood.start < end]
    expression_moods = [mood for mood in within if mood.counts is not None]
    counts = mean_counts(expression_moods)
    models = Counter(mood.model for mood in expression_moods)
    model = models.most_common(1)[0][0] if models else ""
    return Summary(
        seconds_told=sum(mood.seconds for mood in expression_moods),
        faces=_mean_faces(within),
        counts=counts,
        shares=shares(counts, sum(counts.values()), model),
        model=model,
        coverage=coverage(moods, begin, end),
        slots=_slots(within, begin, end),
    )


def ratio(counts: Mapping[str, float], attentive: Iterable[str]) -> float | None:
    """The named faces that show what the school counts as attentive; None without such a list."""
    label_counts = {name: n for name, n in counts.items() if name not in (OTHER, UNCERTAIN)}
    labels = set(attentive)
    total = sum(label_counts.values())
    if not labels or total <= 0:
        return None
    return sum(n for name, n in label_counts.items() if name in labels) / total


def _slots(moods: Sequence[Mood], begin: datetime, end: datetime) -> list[Slot]:
    length = max(SHORTEST_SLOT_S, (end - begin).total_seconds() / SLOTS)
    buckets: dict[int, list[Mood]] = defaultdict(list)
    for mood in moods:
        buckets[int((mood.start - begin).total_seconds() // length)].append(mood)
    slots = []
    for number, part in sorted(buckets.items()):
        expression_moods = [mood for mood in part if mood.counts is not None]
        slots.append(
            Slot(
                start=begin + timedelta(seconds=number * length),
                seconds=length,
                faces=_mean_faces(part),
                counts=mean_counts(expression_moods) if expression_moods else None,
                withheld=None if expression_moods else part[-1].withheld,
            )
        )
    return slots


def _mean_faces(moods: Sequence[Mood]) -> float | None:
    face_counts = [mood.faces for mood in moods if mood.faces is not None]
    return sum(face_counts) / len(face_counts) if face_counts else None


class Summaries:
    """Of every lesson: made anew where its windows have changed since, else as it was kept."""

    def __init__(self, store: Store, repository: LessonRepository) -> None:
        self._store = store
        self._repository = repository

    def of(self, lesson: Lesson) -> Summary:
        record = _kept_summary(lesson)
        if record is not None and lesson.until < time.time() - LATE_S:
            return Summary.model_validate(record)
        begin, end = instant(lesson.start), instant(max(lesson.until, lesson.start + 1))
        state = list(self._store.state(lesson.site, lesson.room, begin, end))
        if record is not None and record.get(STATE) == [*state, lesson.until]:
            return Summary.model_validate(record)
        moods = self._store.reaching(lesson.site, lesson.room, begin, end)
        if record is not None and len(moods) < _windows(record):
            return Summary.model_validate(record)
        summary = summarize(moods, begin, end)
        if lesson.end is not None:
            stamp = {STATE: [*state, lesson.until]}
            self._repository.keep_summary(lesson, summary.model_dump(mode="json") | stamp)
        return summary


def _kept_summary(lesson: Lesson) -> dict[str, Any] | None:
    """None for one that somebody changed: it is made anew of what windows there are."""
    try:
        if lesson.summary is not None:
            Summary.model_validate(lesson.summary)
    except ValidationError:
        log.error("lesson %d: its averages cannot be read: they are made anew", lesson.id)
        return None
    return lesson.summary


def _windows(summary: dict[str, Any]) -> int:
    """Retention has removed some where fewer are left than the summary was made from."""
    return int(summary["coverage"]["windows"])


def instant(at: float) -> datetime:
    return datetime.fromtimestamp(at, timezone.utc)
