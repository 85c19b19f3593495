"""What happened in a lesson: up to three changes that are large and not likely to be chance."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from pydantic import BaseModel, Field

from collector.lessons.summary import Slot
from collector.live.rounding import down, near, up
from edge.protocol.messages import OTHER, UNCERTAIN
from models.interval import wilson

MOST = 3
SIDE = timedelta(seconds=300)
"""What is compared: five minutes before a moment, and five minutes after it."""
LEAST_SIDE = timedelta(seconds=120)
"""At a lesson's beginning and end less of it will do."""
LEAST_CHANGE = 0.15
Z98 = 2.33
"""Many moments are looked at, so that chance has more tries than one."""
LEAST_FACES = 3
LEAST_FACES_SHARE = 0.15
AFTER_MARKER = timedelta(seconds=240)
BEFORE_MARKER = timedelta(seconds=60)

Kind = Literal["more", "less", "faces_more", "faces_less"]


class Highlight(BaseModel):
    """One change: shares in per cent as they are written, or numbers of faces."""

    kind: Kind
    label: str | None
    at: datetime
    before: int
    value: int = Field(description="In the minutes after it.")
    low: int | None
    high: int | None
    marker: str | None = Field(description="What was marked shortly before.")


class _Side(NamedTuple):
    shares: dict[str, float]
    faces: float


class _Candidate(NamedTuple):
    size: float
    finding: Highlight


def findings(slots: Sequence[Slot], markers: Sequence[tuple[datetime, str]]) -> list[Highlight]:
    """Of a lesson's slots in their order; the largest that are apart in time, in time's order."""
    expression_slots = [slot for slot in slots if slot.counts]
    face_slots = [slot for slot in slots if slot.faces is not None]
    candidates = (
        _compare(expression_slots, _expressions)
        if expression_slots
        else _compare(face_slots, _faces)
    )
    highlights: list[Highlight] = []
    for _, one in sorted(candidates, key=lambda c: (-round(c.size, 3), c.finding.at)):
        if len(highlights) < MOST and all(abs(one.at - other.at) >= SIDE for other in highlights):
            highlights.append(one.model_copy(update={"marker": _marker(one.at, markers)}))
    return sorted(highlights, key=lambda one: one.at)


def _compare(
    slots: Sequence[Slot], changes: Callable[..., Iterable[_Candidate]]
) -> list[_Candidate]:
    candidates: list[_Candidate] = []
    for slot in slots:
        before = [s for s in slots if slot.start - SIDE <= s.start < slot.start]
        after = [s for s in slots if slot.start <= s.start < slot.start + SIDE]
        if min(_length(before), _length(after)) >= LEAST_SIDE:
            candidates += changes(slot.start, before, after)
    return candidates


def _length(slots: Sequence[Slot]) -> timedelta:
    return timedelta(seconds=sum(slot.seconds for slot in slots))


def _expressions(at: datetime, before: list[Slot], after: list[Slot]) -> Iterable[_Candidate]:
    then, now = _side(before), _side(after)
    if then.faces <= 0 or now.faces <= 0:
        return
    for label in {**then.shares, **now.shares}:
        a, b = now.shares.get(label, 0.0), then.shares.get(label, 0.0)
        spread = math.sqrt(_variance(a, now.faces) + _variance(b, then.faces))
        if abs(a - b) < max(LEAST_CHANGE, Z98 * spread):
            continue
        low, high = wilson(a, now.faces)
        # What grew is the news; what shrank is, where nothing did.
        size = abs(a - b) + (0.0 if a > b else -0.05)
        yield _Candidate(
            size,
            Highlight(
                kind="more" if a > b else "less",
                label=label,
                at=at,
                before=near(b),
                value=near(a),
                low=min(down(low), near(a)),
                high=max(up(high), near(a)),
                marker=None,
            ),
        )


def _variance(share: float, faces: float) -> float:
    """Of a share of so many faces; with one more of each kind, so that nobody is surely nobody."""
    estimate = (share * faces + 1) / (faces + 2)
    return estimate * (1 - estimate) / faces


def _side(slots: Sequence[Slot]) -> _Side:
    sums: dict[str, float] = {}
    for slot in slots:
        for label, count in (slot.counts or {}).items():
            if label not in (OTHER, UNCERTAIN):
                sums[label] = sums.get(label, 0.0) + count
    whole = sum(sums.values())
    shares = {label: n / whole for label, n in sums.items()} if whole else {}
    return _Side(shares, whole / len(slots) if slots else 0.0)


def _faces(at: datetime, before: list[Slot], after: list[Slot]) -> Iterable[_Candidate]:
    then, now = (
        sum(slot.faces or 0.0 for slot in side) / len(side) if side else 0.0
        for side in (before, after)
    )
    change = now - then
    if abs(change) < max(LEAST_FACES, LEAST_FACES_SHARE * max(then, now)):
        return
    yield _Candidate(
        abs(change),
        Highlight(
            kind="faces_more" if change > 0 else "faces_less",
            label=None,
            at=at,
            before=round(then),
            value=round(now),
            low=None,
            high=None,
            marker=None,
        ),
    )


def _marker(at: datetime, markers: Sequence[tuple[datetime, str]]) -> str | None:
    near_by = [text for when, text in markers if -BEFORE_MARKER <= at - when <= AFTER_MARKER]
    return near_by[-1] if near_by else None
