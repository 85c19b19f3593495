"""The list of rooms: what is wrong first, then who is live and what their pages say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from collector.lessons.repository import Lesson
from collector.live.rooms import Key, RoomView
from collector.pages.headline import Headline
from collector.pages.panel import Panels
from collector.pages.room_summary import tone
from collector.pages.words import words


class RoomCard(NamedTuple):
    """One room; `kind` is the group that it stands in: fault, live or quiet, in this order."""

    view: RoomView
    kind: str
    chip: str
    headline: Headline
    lesson: Lesson | None
    tone: str

    @property
    def search_text(self) -> str:
        """What a search looks in."""
        names = (self.view.site, self.view.room, self.lesson.title if self.lesson else "")
        return " ".join((*names, self.chip)).lower()


def room_cards(
    views: Iterable[RoomView],
    panels: Panels,
    running: Mapping[Key, Lesson],
    language: str,
    *,
    counts: bool,
) -> list[RoomCard]:
    """Faults, then live rooms, then the rest, each by name; without `counts`, how devices do."""
    t = words(language)
    cards = []
    for view in views:
        kind, chip = kind_of(view), str(t["states"][view.state])
        if counts:
            headline = panels.headline(view, language)
            if headline.is_from_numbers and view.state == "withheld":
                chip = str(t["room"]["counting"])
        else:
            answers = view.state in ("live", "withheld", "waiting")
            headline = Headline(str(t["sentences"]["checked" if answers else view.state]))
        lesson = running.get((view.site, view.room))
        colour = tone(headline.label, [headline.label]) if headline.label else ""
        cards.append(RoomCard(view, kind, chip, headline, lesson, colour))
    return sorted(cards, key=lambda card: (card.kind, card.view.site, card.view.room))


def kind_of(view: RoomView) -> str:
    """A fault is what somebody should look after; a camera that is off on purpose is none."""
    reason = view.mood.withheld if view.mood is not None else None
    if view.state == "offline" or (view.state == "withheld" and reason == "no_camera"):
        return "fault"
    return "live" if view.state in ("live", "withheld") else "quiet"
