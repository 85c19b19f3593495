"""What a teacher reads off a room's page with one look: numbers, how they moved, how sure that is.

Everything here is language-free; the templates have the words.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from collector.lessons.attendance import Attendance, attendance
from collector.lessons.repository import Lesson
from collector.live.history import Mean, WindowSummary, between, mean
from collector.live.rooms import RoomState, RoomView
from collector.live.rounding import ShownShares, near, shown_shares
from collector.live.shares import Share, shares
from collector.pages.timeline import FACES
from edge.protocol.messages import OTHER, UNCERTAIN

NOW_S = 300.0
"""'Now' is the last five minutes: single windows jump more than a room does."""
BEFORE_S = 600.0
"""And what it is compared with, the ten minutes before that."""
WITHOUT_LESSON_S = 3600.0

LEAST_CHANGE = 0.1
"""A tenth of the room: less is not worth a teacher's look."""
Z90 = 1.64

ORDER = ("happy", "surprise", "neutral", "sad", "fear", "disgust", "angry")
"""How expressions are stacked; labels of other packs follow in the pack's order."""

LAST = (OTHER, UNCERTAIN)

AHEAD_S = 60.0
"""A reading from so far in the future comes from a clock that is wrong, whatever it says."""

LEAST_FACES = 2
"""A smaller difference between two numbers of faces is the detector's."""

LOW_COVERAGE = 0.8


Divide = Callable[[Mapping[str, float], float, str], dict[str, Share]]


class ExpressionRow(NamedTuple):
    """One expression: its share now with an interval, and the lesson's own average of it."""

    label: str
    tone: str
    now: Share
    lesson: float | None


class Change(NamedTuple):
    """The one thing that is different, if anything is."""

    label: str
    kind: Literal["more", "less"]


class RoomSummary(NamedTuple):
    """A room now. `rows` is empty where nothing is told; `why` then says why."""

    state: RoomState
    why: str | None
    faces: int | None
    rows: list[ExpressionRow]
    change: Change | None
    has_comparison: bool
    """Whether there was enough to compare, so that no change means none."""
    untold: float
    """Faces of the last minutes, on average, whose expression is not told."""
    coverage: float | None
    """The share of the lesson, or of the last half hour, that was seen; None where it is most."""
    shares: ShownShares | None
    """`rows` as they are written on the page."""
    before: int | None
    """The share of the label that changed before it did, in per cent as it is written."""
    headcount: Headcount | None
    """Where faces alone are counted."""


class Headcount(NamedTuple):
    """A room where faces alone are counted: now, the difference to before, and the lesson."""

    now: int
    more: int | None
    lesson: Attendance


def moment(view: RoomView, now: float) -> float:
    """Now, as the room's device would say it: one that does not know the time has its own.

    A device that knows it is believed, so that what came last moves away from now while it is
    silent.
    """
    if view.mood is None or not view.received:
        return now
    end = view.mood.start.timestamp() + view.mood.seconds
    if view.mood.clock == "synced" and end <= view.received + AHEAD_S:
        return now
    return now - view.received + end


def label_order(labels: Mapping[str, object] | list[str]) -> list[str]:
    """Known ones first, then a pack's own, then the vague ones."""
    names = dict.fromkeys(labels)
    standard = [label for label in ORDER if label in names]
    own = [label for label in names if label not in ORDER and label not in LAST]
    return standard + own + [label for label in LAST if label in names]


def tone(label: str, order: list[str]) -> str:
    """The style class of a label: its own where it is known, one of five for a pack's own."""
    if label in ORDER or label in LAST or label == FACES:
        return f"tone-{label}"
    return f"tone-own-{order.index(label) % 5}"


def summarize(
    view: RoomView,
    windows: list[WindowSummary],
    lesson: Lesson | None,
    divide: Divide = shares,
    now: float | None = None,
) -> RoomSummary:
    """Of a room, from its windows of the last hours."""
    now = time.time() if now is None else now
    if view.mood is not None and view.state in ("live", "withheld"):
        # By the device's clock, which may be wrong: what belongs together is told by it as well.
        now = view.mood.start.timestamp() + view.mood.seconds
    reason = view.mood.withheld if view.mood is not None and view.state == "withheld" else None
    mood = view.mood if view.state in ("live", "withheld") else None
    recent = mean(between(windows, now - NOW_S, now))
    since = lesson.start if lesson is not None else now - WITHOUT_LESSON_S
    whole = mean(between(windows, since, now))
    has_counts = mood is not None and recent.windows > 0
    before = mean(between(windows, now - NOW_S - BEFORE_S, now - NOW_S))
    shares_now = divide(recent.counts, recent.faces, mood.model) if has_counts and mood else {}
    change = _change(recent, before) if has_counts else None
    return RoomSummary(
        state=view.state,
        why=reason,
        faces=mood.faces if mood is not None else None,
        rows=_rows(shares_now, whole),
        change=change,
        has_comparison=has_counts and before.windows > 0,
        untold=sum(recent.counts.get(label, 0.0) for label in LAST) if has_counts else 0.0,
        coverage=_low_coverage(windows, lesson, now) if mood is not None else None,
        shares=shown_shares(shares_now) if shares_now else None,
        before=near(_label_shares(before.counts).get(change.label, 0.0)) if change else None,
        headcount=_headcount(windows, lesson, now) if reason == "headcount_only" else None,
    )


def _headcount(windows: list[WindowSummary], lesson: Lesson | None, now: float) -> Headcount | None:
    """From windows that told their faces, whether expressions too or not."""
    recent = _faces(between(windows, now - NOW_S, now))
    before = _faces(between(windows, now - NOW_S - BEFORE_S, now - NOW_S))
    since = lesson.start if lesson is not None else now - WITHOUT_LESSON_S
    whole = attendance(
        (window.start, window.faces)
        for window in between(windows, since, now)
        if window.faces is not None
    )
    if recent is None or whole is None:
        return None
    more = None if before is None else round(recent) - round(before)
    return Headcount(round(recent), more, whole)


def _faces(windows: list[WindowSummary]) -> float | None:
    face_counts = [window.faces for window in windows if window.faces is not None]
    return sum(face_counts) / len(face_counts) if face_counts else None


def _rows(now: dict[str, Share], whole: Mean) -> list[ExpressionRow]:
    average = _label_shares(whole.counts)
    order = label_order(list(now))
    return [
        ExpressionRow(label, tone(label, order), now[label], average.get(label)) for label in order
    ]


def _label_shares(counts: Mapping[str, float]) -> dict[str, float]:
    label_counts = {label: n for label, n in counts.items() if label not in LAST}
    total = sum(label_counts.values())
    return {label: n / total for label, n in label_counts.items()} if total else {}


def _change(recent: Mean, before: Mean) -> Change | None:
    """A change of a share that is not likely to be chance, and large enough to matter."""
    now, then = _label_shares(recent.counts), _label_shares(before.counts)
    if not now or not then or recent.faces <= 0 or before.faces <= 0:
        return None
    candidates: list[tuple[float, Change]] = []
    for label in now.keys() | then.keys():
        a, b = now.get(label, 0.0), then.get(label, 0.0)
        spread = math.sqrt(a * (1 - a) / recent.faces + b * (1 - b) / before.faces)
        if abs(a - b) >= max(LEAST_CHANGE, Z90 * spread):
            candidates.append((abs(a - b), Change(label, "more" if a > b else "less")))
    # What grew is the news; what shrank is, where nothing did.
    candidates.sort(key=lambda one: (one[1].kind == "more", one[0], one[1].label))
    return candidates[-1][1] if candidates else None


def _low_coverage(windows: list[WindowSummary], lesson: Lesson | None, now: float) -> float | None:
    """Only where it is low; windows do not overlap, or hardly."""
    start = (
        lesson.start
        if lesson is not None
        else max(now - 1800, windows[0].start if windows else now)
    )
    if now - start < 120:
        return None
    recordings = [
        w for w in between(windows, start, now) if w.withheld not in ("paused", "no_camera")
    ]
    share = min(1.0, sum(w.seconds for w in recordings) / (now - start))
    return share if share < LOW_COVERAGE else None
