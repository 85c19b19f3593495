"""What a slot of a timeline says to whoever points at it: when, what, how sure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from collector.live.rounding import shown_shares
from collector.live.shares import wilson_shares
from collector.pages.timeline import FACES, Column

MOST = 3
"""Expressions that are read out; the legend and the table have the others."""


def readings(
    columns: Sequence[Column], slots: int, begin: float, span: float, t: Any, at_time: Any
) -> str:
    """JSON: a sentence for each slot, or null where there is nothing to read."""
    texts: list[str | None] = [None] * slots
    for column in columns:
        slot = round(column.at * slots)
        if not 0 <= slot < slots:
            continue
        when = at_time(begin + slot * span / slots)
        if column.withheld:
            texts[slot] = f"{when} · {t['gaps'][column.withheld]}"
            continue
        counts = tuple(sorted(column.counts.items()))
        texts[slot] = f"{when} · {_text(counts, Words(t))}"
    return json.dumps(texts, ensure_ascii=False)


class Words:
    """The texts of one language, the same object for the same language in a cache."""

    def __init__(self, t: Any) -> None:
        self.t = t

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Words) and other.t is self.t

    def __hash__(self) -> int:
        return id(self.t)


@lru_cache(maxsize=4096)
def _text(counts: tuple[tuple[str, float], ...], words: Words) -> str:
    t, cells = words.t, dict(counts)
    if FACES in cells:
        return str(t["room"]["faces_read"].format(round(cells[FACES])))
    faces = sum(cells.values())
    table = shown_shares(wilson_shares(cells, faces))
    rows = sorted(table.rows, key=lambda row: -row.percent)[:MOST]
    parts = [
        t["room"]["share_read"].format(
            t["labels"].get(row.label, row.label), row.percent, row.low, row.high
        )
        for row in rows
    ]
    return " · ".join([str(t["room"]["faces_read"].format(round(faces))), *parts])
