"""The last half hour of a room as the geometry of an SVG: one stacked column per time slot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from edge.mood import Mood

SPAN = timedelta(minutes=30)
SLOTS = 90
WIDTH, HEIGHT = 900, 200
"""The SVG's own units; the page scales it."""

GAP = 2


class Column(NamedTuple):
    """The windows of one slot: the mean count of each label, or why there is none."""

    x: float
    counts: dict[str, float]
    withheld: str | None


class Timeline(NamedTuple):
    """Paths per label from the bottom up, and the slots of which nothing was told."""

    paths: list[tuple[str, str]]
    hidden: list[tuple[float, str]]
    column_width: float
    most: int
    """The number of faces at the top of the scale."""


def columns(moods: Sequence[Mood], end: datetime) -> list[Column]:
    """Windows gathered into the slots up to the one that holds `end`; empty slots are left out.

    Slots begin at whole multiples of their length, so that a window stays in its slot.
    """
    slots: dict[int, list[Mood]] = defaultdict(list)
    length = (SPAN / SLOTS).total_seconds()
    last = (end.timestamp() // length + 1) * length
    begin = datetime.fromtimestamp(last, timezone.utc) - SPAN
    for mood in moods:
        slot = int((mood.start - begin) / SPAN * SLOTS)
        if 0 <= slot < SLOTS:
            slots[slot].append(mood)
    made = []
    for slot, gathered in sorted(slots.items()):
        told = [mood.counts for mood in gathered if mood.counts is not None]
        labels = dict.fromkeys(label for counts in told for label in counts)
        means = {name: sum(c.get(name, 0) for c in told) / len(told) for name in labels}
        made.append(Column(slot * WIDTH / SLOTS, means, None if told else gathered[-1].withheld))
    return made


def draw(moods: Sequence[Mood], order: Sequence[str], end: datetime) -> Timeline:
    """Stacks the labels of `order`, first at the bottom."""
    slots = columns(moods, end)
    tallest = max((sum(column.counts.values()) for column in slots), default=0)
    most = max(5, -(-int(tallest + 0.999) // 5) * 5)
    width = WIDTH / SLOTS - GAP
    paths: dict[str, list[str]] = {label: [] for label in order}
    for column in slots:
        top = float(HEIGHT)
        for label in order:
            height = column.counts.get(label, 0) / most * HEIGHT
            if height <= 0:
                continue
            top -= height
            paths[label].append(f"M{column.x:.1f} {top:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z")
    drawn = [(label, "".join(parts)) for label, parts in paths.items() if parts]
    hidden = [(column.x, column.withheld) for column in slots if column.withheld]
    return Timeline(drawn, hidden, width, most)
