"""Mean counts over time as an SVG's geometry: one stacked column per slot, gaps, a clock axis."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from collector.live.history import WindowSummary

SPAN_S = 1800.0
SLOTS = 90
WIDTH, HEIGHT = 900, 200
"""The plot's own units; the page scales it."""

SPACE = 2.0
"""Between two columns."""

FACES = "faces"
"""In place of labels where faces alone are counted."""

LEFT = 4.0
"""Per cent of the width that the scale takes; the plot has the rest."""

LEAST_MISSING = 3
"""Slots without a reading that are a gap: fewer are how readings fall into slots."""

CLOSE = 0.14
"""Of the width: names of two markers that are closer would run into each other."""

TICKS_S = (60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)
MOST_TICKS = 7


class Column(NamedTuple):
    """One slot: where it begins, 0..1 of the width, its mean counts, or why there are none."""

    at: float
    counts: dict[str, float]
    withheld: str | None


class ChartGap(NamedTuple):
    """A stretch without columns, in per cent of the chart, and its reason."""

    x: float
    width: float
    why: str


class Flag(NamedTuple):
    """A marker: where, in per cent; its name; the row that its name has room in."""

    x: float
    text: str
    row: int


class Timeline(NamedTuple):
    """Paths per label from the bottom up, and what stands beside them."""

    paths: list[tuple[str, str]]
    hidden_rows: list[tuple[float, str]]
    column_width: float
    most: int
    """The number of faces at the top of the scale."""
    gaps: Sequence[ChartGap] = ()
    ticks: Sequence[tuple[float, float]] = ()
    """Where, in per cent, and the time."""
    flags: Sequence[Flag] = ()
    readings: str = "[]"
    """JSON: for each slot what there is to read, or null."""
    trend: Sequence[tuple[str, int, int]] = ()
    """For whoever does not see it: by label, about how many faces at first and at last."""


def place(at: float) -> float:
    """0..1 of the time as per cent of the chart's width."""
    return round(LEFT + (100 - LEFT) * at, 2)


def recent(
    windows: Sequence[WindowSummary], end: float, span: float = SPAN_S, slots: int = SLOTS
) -> list[Column]:
    """Windows gathered into the slots up to the one that holds `end`; empty slots are left out.

    Slots begin at whole multiples of their length, so that a window stays in its slot.
    """
    length = span / slots
    begin = beginning(end, span, slots)
    buckets: dict[int, list[WindowSummary]] = defaultdict(list)
    for window in windows:
        if window.start + window.seconds <= begin:  # most of them: hours are kept in memory
            continue
        for slot in _slots(window, begin, length):
            if 0 <= slot < slots:
                buckets[slot].append(window)
    columns = []
    for slot, part in sorted(buckets.items()):
        samples = [window.counts for window in part if window.counts is not None]
        faces = [window.faces for window in part if window.faces is not None]
        if not samples and faces:
            samples = [{FACES: n} for n in faces]
        labels = dict.fromkeys(label for counts in samples for label in counts)
        means = {name: sum(c.get(name, 0) for c in samples) / len(samples) for name in labels}
        columns.append(Column(slot / slots, means, None if samples else part[-1].withheld))
    return columns


def beginning(end: float, span: float = SPAN_S, slots: int = SLOTS) -> float:
    """When the first slot begins, where the last one holds `end`."""
    length = span / slots
    return (end // length + 1) * length - span


def _slots(window: WindowSummary, begin: float, length: float) -> Iterator[int]:
    """Those that a window fills by half or more; at least the one that it starts in."""
    first = int((window.start - begin) // length)
    last = int((window.start + window.seconds - begin) // length)
    slots = [
        slot
        for slot in range(first, last + 1)
        if min(window.start + window.seconds, begin + (slot + 1) * length)
        - max(window.start, begin + slot * length)
        >= length / 2
    ]
    yield from slots or [first]


def gaps(columns: Sequence[Column], slots: int, since: float = 0.0) -> list[ChartGap]:
    """Stretches in which nothing was told or nothing came, from `since` (0..1 of the width) on."""
    by_slot = {round(column.at * slots): column for column in columns}
    stretches: list[tuple[int, int, str]] = []
    for slot in range(max(0, round(since * slots)), slots):
        column = by_slot.get(slot)
        why = "missing" if column is None else column.withheld
        if why is None:
            continue
        if stretches and stretches[-1][1] == slot and stretches[-1][2] == why:
            stretches[-1] = (stretches[-1][0], slot + 1, why)
        else:
            stretches.append((slot, slot + 1, why))
    return [
        ChartGap(place(first / slots), round((100 - LEFT) * (end - first) / slots, 2), why)
        for first, end, why in stretches
        if why != "missing" or end - first >= LEAST_MISSING
    ]


def ticks(begin: float, end: float) -> list[tuple[float, float]]:
    """Whole minutes of the clock, a handful of them."""
    every = next((t for t in TICKS_S if (end - begin) / t <= MOST_TICKS), TICKS_S[-1])
    first = -(-begin // every) * every
    times = [first + n * every for n in range(int(max(0.0, end - first) // every) + 1)]
    return [(place((at - begin) / (end - begin)), at) for at in times]


def flags(markers: Sequence[tuple[float, str]]) -> list[Flag]:
    """Of (0..1 of the width, text), each in the upper row that is free there."""
    placements: list[Flag] = []
    for at, text in markers:
        near = bool(placements) and place(at) - placements[-1].x < 100 * CLOSE
        placements.append(Flag(place(at), text, 1 - placements[-1].row if near else 0))
    return placements


def trend(columns: Sequence[Column], order: Sequence[str]) -> list[tuple[str, int, int]]:
    """Means over the first and the last quarter of what was told; labels that never show are
    left out."""
    with_counts = [column.counts for column in columns if column.counts]
    quarter = max(1, len(with_counts) // 4)
    rows = []
    for label in order:
        first, last = (
            round(sum(counts.get(label, 0) for counts in part) / quarter)
            for part in (with_counts[:quarter], with_counts[-quarter:])
        )
        if first or last:
            rows.append((label, first, last))
    return rows


def draw(columns: Sequence[Column], order: Sequence[str], slots: float = SLOTS) -> Timeline:
    """Stacks the labels of `order`, first at the bottom; `slots` fit into the width."""
    tallest = max((sum(column.counts.values()) for column in columns), default=0)
    most = max(5, -(-int(tallest + 0.999) // 5) * 5)
    width = max(WIDTH / slots - SPACE, 0.7 * WIDTH / slots)
    paths: dict[str, list[str]] = {label: [] for label in order}
    for column in columns:
        top, x = float(HEIGHT), column.at * WIDTH
        for label in order:
            height = column.counts.get(label, 0) / most * HEIGHT
            if height <= 0:
                continue
            top -= height
            paths[label].append(f"M{x:.1f} {top:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z")
    areas = [(label, "".join(parts)) for label, parts in paths.items() if parts]
    blanks = [(column.at * WIDTH, column.withheld) for column in columns if column.withheld]
    return Timeline(areas, blanks, width, most, trend=trend(columns, order))
