"""A report's figures as the geometry of SVGs: timeline, markers, pie, check-ins, comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from collector.lessons.checkins import ROUND_S
from collector.lessons.report import LessonReport
from collector.pages.room_summary import LAST, label_order, tone
from collector.pages.timeline import Column, Timeline, draw

R = 100
"""The pie's radius."""


class Slice(NamedTuple):
    """Part of the pie."""

    label: str
    tone: str
    share: float
    path: str


class Bar(NamedTuple):
    """A piece of a stacked bar, 0..100."""

    label: str
    tone: str
    x: float
    width: float


class ReportFigures(NamedTuple):
    """Everything that a report draws; `at` are 0..1 of the lesson."""

    timeline: Timeline
    tones: dict[str, str]
    markers: list[tuple[float, str]]
    pie: list[Slice]
    rounds: list[tuple[float, float, dict[str, int] | None]]
    """Where a round begins, how wide it is, and its counts."""
    compared: list[tuple[datetime, int | None, list[Bar]]]
    """This lesson and earlier ones: when, its number (None: this one), its shares."""


def figures(report: LessonReport) -> ReportFigures:
    summary = report.summary
    begin, end = summary.coverage.start, summary.coverage.end
    whole = max(1.0, (end - begin).total_seconds())
    labels: dict[str, object] = dict.fromkeys(summary.counts)
    for earlier in report.earlier:
        labels |= dict.fromkeys(earlier.counts)
    order = label_order(labels)
    columns = [
        Column((slot.start - begin).total_seconds() / whole, slot.counts or {}, slot.withheld)
        for slot in summary.slots
    ]
    slots = whole / summary.slots[0].seconds if summary.slots else 1
    return ReportFigures(
        timeline=draw(columns, order, slots),
        tones={label: tone(label, order) for label in order},
        markers=[((m.at - begin).total_seconds() / whole, m.text) for m in report.markers],
        pie=_pie(summary.counts, order),
        rounds=[
            ((r.start - begin).total_seconds() / whole, ROUND_S / whole, r.counts)
            for r in report.checkins
        ],
        compared=[
            (report.start, None, _bars(summary.counts, order)),
            *((one.start, one.id, _bars(one.counts, order)) for one in report.earlier),
        ],
    )


def _pie(counts: Mapping[str, float], order: list[str]) -> list[Slice]:
    total = sum(counts.values())
    made: list[Slice] = []
    begun = 0.0
    for label in order:
        share = counts.get(label, 0.0) / total if total else 0.0
        if share <= 0:
            continue
        made.append(Slice(label, tone(label, order), share, _arc(begun, begun + share)))
        begun += share
    return made


def _arc(begin: float, end: float) -> str:
    """From noon, clockwise; 0..1 is the whole circle."""
    if end - begin >= 0.9999:
        return f"M0 {-R}A{R} {R} 0 1 1 0 {R}A{R} {R} 0 1 1 0 {-R}z"
    (x1, y1), (x2, y2) = (
        (R * math.sin(2 * math.pi * at), -R * math.cos(2 * math.pi * at)) for at in (begin, end)
    )
    large = int(end - begin > 0.5)
    return f"M0 0L{x1:.2f} {y1:.2f}A{R} {R} 0 {large} 1 {x2:.2f} {y2:.2f}z"


def _bars(counts: Mapping[str, float], order: list[str]) -> list[Bar]:
    """Shares of the faces whose expression was told."""
    named = {label: counts.get(label, 0.0) for label in order if label not in LAST}
    total = sum(named.values())
    made, x = [], 0.0
    for label, count in named.items():
        width = 100 * count / total if total else 0.0
        if width > 0:
            made.append(Bar(label, tone(label, order), x, width))
        x += width
    return made
