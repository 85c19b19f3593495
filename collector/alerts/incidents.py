"""From what is wrong now to what people are told: by cause, once, and again when it is over.

Nothing here asks a clock, a database or a network; times are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, NamedTuple

PARTLY_S = 3600.0
"""When most of what was told together is over, and the rest stays, that is told after so long."""

Rooms = frozenset[tuple[str, str]]
"""By site and room."""

Kind = Literal["began", "ended", "past"]
"""`past`: it came and went before anybody could be told."""


class Key(NamedTuple):
    cause: str
    site: str
    """Empty: the collector itself."""
    item: str
    """A room, or which part of the collector."""


class Sighting(NamedTuple):
    """What is wrong at a moment."""

    begin: Mapping[Key, str]
    """What is to be told, with a detail: of each device, the fault that hides its others."""
    present: frozenset[Key]
    """Everything that is wrong; what is in neither is right."""
    hidden_rooms: Rooms = frozenset()
    """Of which nobody can say more than what is in `begin`."""
    removed_rooms: Rooms = frozenset()
    """Whose devices were taken out of service: nothing of them is told any more."""
    is_blind: bool = False
    """Whether nothing is known of any device now: the broker is not reached."""
    is_anew: bool = False
    """Whether that is over after a while, so that devices have the same time as ever to be back."""


@dataclass
class Entry:
    """Something that is wrong, or was."""

    key: Key
    about: str
    since: float
    told_at: float | None = None
    """When; the same for all that were told together."""
    over: float | None = None
    """Since when it is right again."""


class Incident(NamedTuple):
    """What people are told together: one cause at one site."""

    kind: Kind
    cause: str
    site: str
    entries: list[Entry]
    told_at: float | None
    """When they were told that it began."""
    rest: list[Entry]
    """What of it is still wrong."""


Entries = dict[Key, Entry]


def update(entries: Entries, now: Sighting, at: float, after_s: float) -> None:
    """Notes what began and what is over; forgets what was over before it lasted."""
    for key, about in now.begin.items():
        entry = entries.setdefault(key, Entry(key, about, at))
        if entry.told_at is None and at - entry.since >= after_s:  # a figure changes at each turn
            entry.about = about
    for key, entry in list(entries.items()):
        if key.site and now.is_blind:
            continue
        if key.site and now.is_anew and entry.told_at is None:
            entry.since = at
        entry.since = min(entry.since, at)  # a clock that was put back
        if entry.over is not None:
            entry.over = min(entry.over, at)
        if key in now.present:
            entry.over = None
        elif key[1:] in now.removed_rooms or (
            key[1:] in now.hidden_rooms and entry.told_at is None
        ):
            del entries[key]
        elif key[1:] in now.hidden_rooms:
            continue
        elif entry.told_at is None and entry.over is None and at - entry.since < after_s:
            del entries[key]
        elif entry.over is None:
            entry.over = at


def due_incidents(entries: Entries, at: float, after_s: float) -> list[Incident]:
    """What is to be told now, what began first."""
    by_key = sorted(entries.values(), key=lambda entry: entry.key)
    starts, passages, ends = list[Incident](), list[Incident](), list[Incident]()
    for (cause, site), group in groupby(by_key, key=lambda entry: entry.key[:2]):
        some = list(group)
        pending = [entry for entry in some if entry.told_at is None]
        present = [entry for entry in pending if entry.over is None]
        if any(at - entry.since >= after_s for entry in present):
            # Those that follow within moments are told with the first.
            ready = [entry for entry in present if at - entry.since >= after_s / 2]
            starts.append(Incident("began", cause, site, ready, None, []))
        absent = [entry for entry in pending if entry.over is not None]
        if absent:
            passages.append(Incident("past", cause, site, absent, None, []))
        ends += _ends(cause, site, some, at, after_s)
    return starts + passages + ends


def _ends(
    cause: str, site: str, some: Iterable[Entry], at: float, after_s: float
) -> Iterable[Incident]:
    batches: dict[float, list[Entry]] = {}
    for entry in some:
        if entry.told_at is not None:
            batches.setdefault(entry.told_at, []).append(entry)
    for when, together in batches.items():
        over = [entry for entry in together if entry.over is not None]
        rest = [entry for entry in together if entry.over is None]
        if not over:
            continue
        quiet_s = at - max(entry.over or at for entry in over)
        if quiet_s >= (max(after_s, PARTLY_S) if rest else after_s):
            yield Incident("ended", cause, site, over, when, rest)


def settle(entries: Entries, some: Iterable[Incident], at: float) -> None:
    """After they were told: what began is marked, what is over forgotten."""
    for incident in some:
        for entry in incident.entries:
            if incident.kind == "began":
                entry.told_at = at
            else:
                entries.pop(entry.key, None)
