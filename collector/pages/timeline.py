"""Mean counts over time as the geometry of an SVG: one stacked column per slot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from collector.live.history import WindowSummary

SPAN_S = 1800.0
SLOTS = 90
WIDTH, HEIGHT = 900, 200
"""The SVG's own units; the page scales it."""

GAP = 2.0
"""Between two columns."""


class Column(NamedTuple):
    """One slot: where it begins, 0..1 of the width, its mean counts, or why there are none."""

    at: float
    counts: dict[str, float]
    withheld: str | None


class Timeline(NamedTuple):
    """Paths per label from the bottom up, and the slots of which nothing was told."""

    paths: list[tuple[str, str]]
    hidden: list[tuple[float, str]]
    column_width: float
    most: int
    """The number of faces at the top of the scale."""


def recent(windows: Sequence[WindowSummary], end: float) -> list[Column]:
    """Windows gathered into the slots up to the one that holds `end`; empty slots are left out.

    Slots begin at whole multiples of their length, so that a window stays in its slot.
    """
    length = SPAN_S / SLOTS
    begin = (end // length + 1) * length - SPAN_S
    slots: dict[int, list[WindowSummary]] = defaultdict(list)
    for seen in windows:
        slot = int((seen.start - begin) // length)
        if 0 <= slot < SLOTS:
            slots[slot].append(seen)
    made = []
    for slot, gathered in sorted(slots.items()):
        told = [seen.counts for seen in gathered if seen.counts is not None]
        labels = dict.fromkeys(label for counts in told for label in counts)
        means = {name: sum(c.get(name, 0) for c in told) / len(told) for name in labels}
        made.append(Column(slot / SLOTS, means, None if told else gathered[-1].withheld))
    return made


def draw(columns: Sequence[Column], order: Sequence[str], slots: float = SLOTS) -> Timeline:
    """Stacks the labels of `order`, first at the bottom; `slots` fit into the width."""
    tallest = max((sum(column.counts.values()) for column in columns), default=0)
    most = max(5, -(-int(tallest + 0.999) // 5) * 5)
    width = WIDTH / slots - GAP
    paths: dict[str, list[str]] = {label: [] for label in order}
    for column in columns:
        top, x = float(HEIGHT), column.at * WIDTH
        for label in order:
            height = column.counts.get(label, 0) / most * HEIGHT
            if height <= 0:
                continue
            top -= height
            paths[label].append(f"M{x:.1f} {top:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z")
    drawn = [(label, "".join(parts)) for label, parts in paths.items() if parts]
    hidden = [(column.at * WIDTH, column.withheld) for column in columns if column.withheld]
    return Timeline(drawn, hidden, width, most)
