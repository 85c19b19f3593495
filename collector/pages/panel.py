"""The live part of a room's page, in one language."""

from __future__ import annotations

import time
from typing import Any

from collector.lessons.checkins import CheckIns
from collector.lessons.repository import Lesson, LessonRepository
from collector.live.history import WindowSummary
from collector.live.panel_broadcaster import ShareCache
from collector.live.pending import PendingCommands
from collector.live.rooms import Key, Rooms, RoomView
from collector.pages import timeline
from collector.pages.headline import Headline, headline
from collector.pages.readings import readings
from collector.pages.render import Renderer
from collector.pages.room_summary import RoomSummary, label_order, moment, summarize, tone
from collector.pages.timeline import SLOTS, SPAN_S, Timeline
from collector.pages.words import words

LONG_S = 3 * 3600.0
"""A lesson's own timeline shows at most what is kept in memory."""

SILENT_S = 10.0
"""As often as the list looks again."""


class Panels:
    """Draws any room's panel."""

    def __init__(
        self,
        rooms: Rooms,
        repository: LessonRepository,
        checkins: CheckIns,
        renderer: Renderer,
        pending: PendingCommands,
    ) -> None:
        self._rooms = rooms
        self._repository = repository
        self._checkins = checkins
        self._renderer = renderer
        self._pending = pending
        self._shares = ShareCache()
        self._headlines: dict[tuple[Key, str], tuple[object, float, Headline]] = {}

    def headline(self, view: RoomView, language: str) -> Headline:
        """What the room's page says first, for the list of rooms.

        Of a room that is live it is the same until its windows change, of others, of which it says
        for how long they are silent, for some seconds: the list, which shows all rooms to
        everybody, looks through them once for each.
        """
        key = (view.site, view.room)
        stamp = (view.state, view.received, self._rooms.changes(*key))
        entry = self._headlines.get((key, language))
        now = time.monotonic()
        if entry is not None and entry[0] == stamp and now < entry[1]:
            return entry[2]
        windows = self._rooms.windows(*key)
        new_headline = headline(view, self._summary(view, windows, None), words(language))
        until = float("inf") if view.state in ("live", "withheld") else now + SILENT_S
        self._headlines[key, language] = (stamp, until, new_headline)
        return new_headline

    def _summary(
        self, view: RoomView, windows: list[WindowSummary], lesson: Lesson | None
    ) -> RoomSummary:
        def divide(counts: Any, faces: float, model: str) -> Any:
            return self._shares.of((view.site, view.room), counts, faces, model)

        return summarize(view, windows, lesson, divide)

    def draw(self, key: Key, language: str) -> str:
        """HTML without line ends."""
        view = self._rooms.view(*key)
        windows = self._rooms.windows(*key)
        running = self._repository.running(*key)
        lesson = running[0] if running else None
        context = self._context(view, windows, lesson, language)
        return self._renderer.fragment("panel.html", language, context)

    def _context(
        self, view: RoomView, windows: list[WindowSummary], lesson: Lesson | None, language: str
    ) -> dict[str, Any]:
        t = words(language)
        summary = self._summary(view, windows, lesson)
        newest, clock = view.mood, time.time()
        now = moment(view, clock)
        until = newest.start.timestamp() + newest.seconds if newest else 0.0
        order = label_order(
            [label for one in windows for label in (one.counts or {timeline.FACES: 0})]
        )
        markers = [(m.at - clock + now, m.text) for m in self._markers(lesson)]
        charts = {"half": self._chart(windows, order, markers, now, SPAN_S, language)}
        age = now - lesson.start if lesson else 0.0
        if SPAN_S < age <= LONG_S:
            charts["lesson"] = self._chart(windows, order, markers, now, age, language)
        counts = newest.counts if newest and newest.counts else {}
        return {
            "seq": newest.seq if newest else "",
            "now": now,
            "until": until,
            "last_reading": view.last_reading,
            "doing": self._pending.of((view.site, view.room), view.state),
            "g": summary,
            "h": headline(view, summary, t),
            "total": sum(counts.values()),
            "lesson": lesson,
            "answering": self._checkins.answering(lesson) if lesson else 0,
            "charts": charts,
            "tones": {label: tone(label, order) for label in order},
            "lesson_means": {row.label: row.lesson for row in summary.rows},
            "rounds": [r._asdict() for r in self._checkins.rounds(lesson)] if lesson else [],
            "width": timeline.WIDTH,
            "height": timeline.HEIGHT,
        }

    def _markers(self, lesson: Lesson | None) -> list[Any]:
        return self._repository.markers(lesson) if lesson else []

    def _chart(
        self,
        windows: list[WindowSummary],
        order: list[str],
        markers: list[tuple[float, str]],
        now: float,
        span: float,
        language: str,
    ) -> Timeline:
        columns = timeline.recent(windows, now, span)
        begin = timeline.beginning(now, span)
        first = (windows[0].start - begin) / span if windows else 1.0
        inside = [
            ((at - begin) / span, text) for at, text in markers if begin <= at <= begin + span
        ]
        clock, t = self._renderer.clock(language), words(language)
        return timeline.draw(columns, order)._replace(
            gaps=timeline.gaps(columns, SLOTS, first),
            ticks=timeline.ticks(begin, begin + span),
            flags=timeline.flags(inside),
            readings=readings(columns, SLOTS, begin, span, t, clock),
        )
