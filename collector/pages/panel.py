"""The live part of a room's page, in one language."""

from __future__ import annotations

from typing import Any

from collector.lessons.checkins import CheckIns
from collector.lessons.repository import Lesson, LessonRepository
from collector.live.panel_broadcaster import ShareCache
from collector.live.rooms import Key, Rooms, RoomView
from collector.pages import timeline
from collector.pages.render import Renderer, words
from collector.pages.room_summary import RoomSummary, glance, label_order, tone
from edge.protocol.messages import REASONS


def sentence(view: RoomView, language: str) -> str:
    """What there is to say in place of numbers; nothing while there are some."""
    t = words(language)
    withheld = view.mood.withheld if view.mood is not None and view.state == "withheld" else None
    if view.state == "live":
        return ""
    told = str(t["sentences"][withheld or view.state])
    health = view.status.health if view.status is not None else None
    if view.state == "paused" and health is not None and health.pause is not None:
        return f"{told} {t['pauses'][health.pause]}"
    if withheld == "headcount_only" and health is not None and health.mode == "headcount":
        return f"{told} {t['why'].format(REASONS[health.because])}"
    return told


class Panels:
    """Draws any room's panel."""

    def __init__(
        self, rooms: Rooms, book: LessonRepository, checkins: CheckIns, renderer: Renderer
    ) -> None:
        self._rooms = rooms
        self._book = book
        self._checkins = checkins
        self._renderer = renderer
        self._shares = ShareCache()

    def draw(self, key: Key, language: str) -> str:
        """HTML without line ends."""
        view = self._rooms.view(*key)
        windows = self._rooms.windows(*key)
        running = self._book.running(*key)
        lesson = running[0] if running else None

        def divide(counts: Any, faces: float, model: str) -> Any:
            return self._shares.of(key, counts, faces, model)

        seen = glance(view, windows, lesson, divide)
        context = self._context(view, seen, windows, lesson)
        context["sentence"] = sentence(view, language)
        return self._renderer.fragment("panel.html", language, context)

    def _context(
        self, view: RoomView, seen: RoomSummary, windows: Any, lesson: Lesson | None
    ) -> Any:
        newest = view.mood
        end = newest.start.timestamp() + newest.seconds if newest else 0.0
        columns = timeline.recent(windows, end)
        order = label_order([name for column in columns for name in column.counts])
        begin = end - timeline.SPAN_S
        markers = self._book.markers(lesson) if lesson else []
        change = seen.change
        counts = newest.counts if newest and newest.counts else {}
        return {
            "seq": newest.seq if newest else "",
            "g": seen._asdict() | {"total": sum(counts.values())},
            "lesson": lesson,
            "timeline": timeline.draw(columns, order),
            "tones": {label: tone(label, order) for label in order},
            "changed_tone": tone(change.label, order) if change and change.label in order else "",
            # One that was set after the newest window is at the edge until the next one comes.
            "markers": [
                ((min(m.at, end) - begin) / timeline.SPAN_S * timeline.WIDTH, m.text)
                for m in markers
                if m.at >= begin
            ],
            "rounds": [r._asdict() for r in self._checkins.rounds(lesson)] if lesson else [],
            "width": timeline.WIDTH,
            "height": timeline.HEIGHT,
        }
