"""A report's figures as the geometry of SVGs: timeline, markers, pie, check-ins, comparison."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from collector.lessons.checkins import ROUND_S
from collector.lessons.figures import Figure
from collector.lessons.report import EarlierLesson, LessonReport
from collector.lessons.summary import Slot
from collector.pages import timeline
from collector.pages.readings import readings
from collector.pages.room_summary import label_order, tone
from collector.pages.timeline import FACES, Column, Timeline, place

R = 100
"""The pie's radius."""

ANSWERS = ("well", "so_so", "lost")


class Slice(NamedTuple):
    """Part of the pie; `label` is nothing for the others together."""

    label: str
    tone: str
    path: str


class AnswerBar(NamedTuple):
    """One round of check-ins on the timeline's axis: where, and its parts of 100 from below."""

    x: float
    width: float
    parts: list[tuple[str, float, float]]


class Dot(NamedTuple):
    """One lesson in a small multiple, in per cent of its width and height."""

    x: float
    y: float
    low: float
    high: float
    when: datetime
    text: str
    this: bool
    id: int


class Multiple(NamedTuple):
    """One figure over several lessons; `top` is the number at the top of the scale."""

    label: str
    tone: str
    dots: list[Dot]
    top: int


class ReportFigures(NamedTuple):
    """Everything that a report draws."""

    timeline: Timeline
    tones: dict[str, str]
    pie: list[Slice]
    rounds: list[AnswerBar]


def drawing(report: LessonReport, t: Any, clock: Callable[[Any], str]) -> ReportFigures:
    summary = report.summary
    begin, end = summary.coverage.start.timestamp(), summary.coverage.end.timestamp()
    length = summary.slots[0].seconds if summary.slots else max(1.0, end - begin)
    slots = max(1, math.ceil((end - begin) / length - 1e-6))
    span = slots * length
    columns = [
        Column((slot.start.timestamp() - begin) / span, _counts(slot), _withhold_reason(slot))
        for slot in summary.slots
    ]
    order = label_order([label for column in columns for label in column.counts])
    tones = {label: tone(label, order) for label in [*order, *summary.shares]}
    inside = [((m.at.timestamp() - begin) / span, m.text) for m in report.markers]
    chart = timeline.draw(columns, order, slots)._replace(
        gaps=timeline.gaps(columns, slots),
        ticks=timeline.ticks(begin, begin + span),
        flags=timeline.flags([one for one in inside if 0 <= one[0] <= 1]),
        readings=readings(columns, slots, begin, span, t, clock),
    )
    rounds = [_answers(r.start.timestamp() - begin, r.counts, span) for r in report.checkins]
    return ReportFigures(chart, tones, _pie(report.figures, tones), rounds)


def _counts(slot: Slot) -> dict[str, float]:
    if slot.counts is None and slot.faces is not None:
        return {FACES: slot.faces}
    return slot.counts or {}


def _withhold_reason(slot: Slot) -> str | None:
    return None if slot.counts is not None or slot.faces is not None else slot.withheld


def _answers(at: float, counts: dict[str, int] | None, span: float) -> AnswerBar:
    parts: list[tuple[str, float, float]] = []
    total = sum((counts or {}).values())
    below = 0.0
    for name in (*ANSWERS, "other"):
        share = 100 * (counts or {}).get(name, 0) / total if total else 0.0
        if share:
            below += share
            parts.append((f"tone-{name}", round(100 - below, 1), round(share, 1)))
    width = min(100 - place(at / span), (100 - timeline.LEFT) * ROUND_S / span - 0.3)
    return AnswerBar(place(at / span), round(max(0.5, width), 2), parts)


def _pie(figures: Sequence[Figure], tones: dict[str, str]) -> list[Slice]:
    """From the shares as they are written, so that it says what the table says."""
    shares = [(f.label or "", f.value) for f in figures if f.figure == "share"]
    others = sum(f.value for f in figures if f.figure == "others")
    shares += [("", others)] if others else []
    total = sum(value for _, value in shares)
    slices: list[Slice] = []
    start = 0.0
    for label, value in shares:
        end = start + value / total
        slices.append(Slice(label, tones.get(label, "tone-other"), _arc(start, end)))
        start = end
    return slices


def _arc(begin: float, end: float) -> str:
    """From noon, clockwise; 0..1 is the whole circle."""
    if end - begin >= 0.9999:
        return f"M0 {-R}A{R} {R} 0 1 1 0 {R}A{R} {R} 0 1 1 0 {-R}z"
    (x1, y1), (x2, y2) = (
        (R * math.sin(2 * math.pi * at), -R * math.cos(2 * math.pi * at)) for at in (begin, end)
    )
    large = int(end - begin > 0.5)
    return f"M0 0L{x1:.2f} {y1:.2f}A{R} {R} 0 {large} 1 {x2:.2f} {y2:.2f}z"


def multiples(lessons: Sequence[EarlierLesson], this: int | None = None) -> list[Multiple]:
    """Each figure of several lessons, oldest first: an expression's share, or the faces."""
    history = sorted(lessons, key=lambda one: one.start)
    labels = [
        f.label
        for one in history
        for f in one.figures
        if f.figure in ("share", "attentive") and f.label
    ]
    order = label_order([label for label in labels if ", " not in label])
    charts = [_multiple(label, tone(label, order), history, "share", this) for label in order]
    charts += [_multiple(FACES, "tone-faces", history, "faces", this)]
    return [one for one in charts if one.dots]


def _multiple(
    label: str, style: str, lessons: Sequence[EarlierLesson], name: str, this: int | None
) -> Multiple:
    points = []
    for number, one in enumerate(lessons):
        for f in one.figures:
            if f.figure == name and (name == "faces" or f.label == label):
                points.append((number, one, f))
    top = 100 if name == "share" else max([5, *(5 * -(-f.value // 5) for _, _, f in points)])
    dots = []
    for number, one, f in points:
        low, high = (f.value if f.low is None else f.low), (f.value if f.high is None else f.high)
        at = (number + 0.5) / len(lessons)
        text = f"{f.value} % ({low}–{high})" if name == "share" else str(f.value)
        y, above, below = (round(100 - 100 * value / top, 1) for value in (f.value, high, low))
        dots.append(Dot(place(at), y, below, above, one.start, text, one.id == this, one.id))
    return Multiple(label, style, dots, top)
