"""What the agents counted against what the collector holds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from edge.protocol.messages import Mood, decode

Run = tuple[str, str, str, str]
Window = tuple[Run, int]


class Comparison(NamedTuple):
    windows: int
    """Windows that an agent kept."""
    lost: int
    """Of those, in no window of the collector's."""
    duplicated: int
    """Windows that the collector holds more than once, in whatever form."""
    altered: int
    """Windows whose content is another."""


def read_journal(path: Path) -> list[Mood]:
    """Every window of a journal; a line that a kill cut short was never finished."""
    if not path.exists():
        return []
    return [decode(Mood, line) for line in path.read_bytes().splitlines() if line.endswith(b"}")]


def compare(device_moods: Iterable[Mood], collector_moods: Iterable[Mood]) -> Comparison:
    """A merged window holds all that it stands for; its content is not looked at."""
    copies: Counter[Window] = Counter()
    whole: dict[Window, Mood] = {}
    for mood in collector_moods:
        for seq in range(mood.seq - mood.windows + 1, mood.seq + 1):
            copies[_run(mood), seq] += 1
        if mood.windows == 1:
            whole[_run(mood), mood.seq] = mood
    windows = losses = altered = 0
    for mood in device_moods:
        key = (_run(mood), mood.seq)
        windows += 1
        losses += not copies[key]
        altered += key in whole and content(whole[key]) != content(mood)
    return Comparison(windows, losses, sum(n - 1 for n in copies.values()), altered)


def content(mood: Mood) -> dict[str, object]:
    """As sent."""
    fields: dict[str, object] = json.loads(mood.encode())
    return fields


def _run(mood: Mood) -> Run:
    return mood.site, mood.room, mood.device, str(mood.boot)
