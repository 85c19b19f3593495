"""A lesson's numbers, each once: page, PDF, CSV and JSON all take them from this list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import BaseModel, Field

from collector.lessons.attendance import attendance
from collector.lessons.summary import Summary
from collector.live.rounding import down, near, shown_shares, up
from models.interval import wilson

Name = Literal[
    "faces", "minutes", "recorded", "share", "others", "attentive",
    "first", "last", "most", "came", "left",
]  # fmt: skip


class Figure(BaseModel):
    """One number as it is written: shares in per cent, in steps of five, with their range."""

    figure: Name
    label: str | None = Field(description="An expression; several, separated by commas.")
    value: int
    low: int | None = None
    high: int | None = None


def figures(
    summary: Summary, attentive: float | None, attentive_labels: Sequence[str]
) -> list[Figure]:
    return list(_figures(summary, attentive, attentive_labels))


def _figures(
    summary: Summary, attentive: float | None, attentive_labels: Sequence[str]
) -> Iterator[Figure]:
    if summary.faces is not None:
        yield _figure("faces", round(summary.faces))
    if summary.counts:
        yield _figure("minutes", round(summary.seconds_told / 60))
    yield _figure("recorded", round(100 * summary.coverage.seen))
    table = shown_shares(summary.shares)
    for row in table.rows:
        yield Figure(figure="share", label=row.label, value=row.percent, low=row.low, high=row.high)
    if table.others:
        yield _figure("others", table.others_percent, ", ".join(table.others))
    if attentive is not None:
        yield _ratio(attentive, sum(summary.counts.values()), attentive_labels)
    if not summary.counts:
        yield from _attendance(summary)


def _figure(name: Name, value: int, label: str | None = None) -> Figure:
    return Figure(figure=name, label=label, value=value)


def _ratio(share: float, faces: float, labels: Sequence[str]) -> Figure:
    low, high = wilson(share, faces) if faces > 0 else (0.0, 1.0)
    value = near(share)
    return Figure(
        figure="attentive",
        label=", ".join(labels),
        value=value,
        low=min(down(low), value),
        high=max(up(high), value),
    )


def _attendance(summary: Summary) -> Iterator[Figure]:
    """Of a lesson in which faces alone were counted."""
    turnout = attendance(
        (slot.start.timestamp(), slot.faces) for slot in summary.slots if slot.faces is not None
    )
    if turnout is not None:
        yield _figure("first", turnout.first)
        yield _figure("last", turnout.last)
        yield _figure("most", turnout.most)
        yield _figure("came", turnout.arrivals)
        yield _figure("left", turnout.departures)
