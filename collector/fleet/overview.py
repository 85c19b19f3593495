"""The devices as IT reads them: what is wrong first and by cause, counted, searched, in pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import NamedTuple, get_args

from collector.alert_settings import DeviceCause
from collector.fleet.diagnosis import DeviceOut

FINE = "fine"
"""The cause of a device that nothing is wrong with."""

CAUSES = (*get_args(DeviceCause), FINE)

PAGE = 100
"""Rows of one page: more than a screen, and drawn in no time."""


class Overview(NamedTuple):
    """One page of the devices that were asked for."""

    counts: list[tuple[str, int]]
    """Of all that match the text, by cause; the choice of one cause hides none of the others."""
    groups: list[tuple[str, list[DeviceOut]]]
    """This page's rows by cause, each by site and room."""
    total: int
    page: int
    pages: int


def overview(
    rows: Iterable[DeviceOut],
    *,
    text: str = "",
    cause: str = "",
    page: int = 1,
    title: Callable[[str, str], str] = lambda _site, room: room,
) -> Overview:
    """Every word of `text` has to be in a room's name or title, its state, version or model."""
    words = text.lower().split()
    matches = [row for row in rows if all(word in _search_text(row, title) for word in words)]
    counts = Counter(cause_of(row) for row in matches)
    selection = [row for row in matches if cause in ("", cause_of(row))]
    selection.sort(key=lambda row: (CAUSES.index(cause_of(row)), row.site, row.room))
    pages = max(1, -(-len(selection) // PAGE))
    page = min(page, pages)
    rows_of_page = selection[PAGE * (page - 1) : PAGE * page]
    groups = [(name, list(group)) for name, group in groupby(rows_of_page, key=cause_of)]
    by_cause = [(name, counts[name]) for name in CAUSES if counts[name]]
    return Overview(by_cause, groups, len(matches), page, pages)


def cause_of(row: DeviceOut) -> str:
    return row.fault or FINE


def _search_text(row: DeviceOut, title: Callable[[str, str], str]) -> str:
    parts = (row.site, row.room, title(row.site, row.room), row.state, row.version, row.model)
    return " ".join(part for part in parts if part).lower()
