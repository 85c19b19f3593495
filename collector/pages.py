"""The pages: rooms, one room, and the API's description; all rendered here, nothing fetched."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from collector import timeline
from collector.api import RoomName, SiteName
from collector.coverage import Coverage, coverage
from collector.live import Rooms, View
from collector.store import Store
from edge.mood import OTHER, REASONS, UNCERTAIN, Mood, Pause, rfc3339

HERE = Path(__file__).parent
STATIC = HERE / "static"

SENTENCES = {
    "live": "The room is being counted.",
    "paused": "Paused: the camera is closed.",
    "offline": "Offline: no news from the room's device.",
    "waiting": "The device is on. The first window is on its way.",
    "few_faces": "Too few faces to tell anything without singling someone out.",
    "no_camera": "The camera gives no picture.",
    "headcount_only": "Faces are counted; expressions are not read here.",
    "gathering": "Counting: with noise added, numbers are told a few times per lesson.",
    "budget_spent": "No more numbers are told in this lesson: its privacy budget is spent.",
}
"""One calm sentence per state, or per reason for withholding."""

PAUSES: dict[Pause, str] = {
    "command": "Switched off from here.",
    "button": "Switched off with the button in the room.",
    "kiosk": "Switched off on the screen in the room.",
    "schedule": "There is no lesson now.",
    "clock": "The device does not know the time, and so whether there is a lesson.",
    "unreadable": "The device cannot tell whether it may look: switch it on again.",
}

ORDER = ("happy", "surprise", "neutral", "sad", "fear", "disgust", "angry")
"""How expressions are stacked; labels of other packs follow in the pack's order."""

LAST = (OTHER, UNCERTAIN)

LEAST_MISSED = 0.03
"""The window that is under way has not arrived either: that much is no news."""


def label_order(moods: list[Mood]) -> list[str]:
    """Every label of these windows: known ones first, then a pack's own, then the vague ones."""
    seen = dict.fromkeys(label for mood in moods for label in mood.counts or {})
    known = [label for label in ORDER if label in seen]
    own = [label for label in seen if label not in ORDER and label not in LAST]
    return known + own + [label for label in LAST if label in seen]


def tone(label: str, order: list[str]) -> str:
    """The style class of a label: its own where it is known, one of five for a pack's own."""
    if label in ORDER or label in LAST:
        return f"tone-{label}"
    return f"tone-own-{order.index(label) % 5}"


def sentence(view: View) -> str:
    withheld = view.mood.withheld if view.mood is not None and view.state == "withheld" else None
    told = SENTENCES[withheld or view.state]
    health = view.status.health if view.status is not None else None
    if view.state == "paused" and health is not None and health.pause is not None:
        return f"{told} {PAUSES[health.pause]}"
    if withheld == "headcount_only" and health is not None and health.mode == "headcount":
        return f"{told} Why: {REASONS[health.because]}."
    return told


def not_seen(covered: Coverage) -> str:
    """What was missed of the time, in a sentence; nothing where that is hardly anything."""
    parts = (
        (covered.paused, "the camera was closed"),
        (covered.no_camera, "the camera gave nothing"),
        (covered.missing, "nothing has arrived"),
    )
    missed = [f"{share:.0%} {what}" for share, what in parts if share >= LEAST_MISSED]
    if not missed:
        return ""
    return f"Seen: {covered.seen:.0%} of this time. Not seen: {', '.join(missed)}."


def panel(view: View, store: Store) -> dict[str, Any]:
    """What the live part of a room's page shows."""
    now = datetime.now(timezone.utc)
    moods = store.between(view.site, view.room, now - timeline.SPAN, now)
    latest = view.mood if view.state in ("live", "withheld") else None
    order = label_order([*moods, latest] if latest else moods)
    counts = latest.counts if latest and latest.counts else {}
    most = max([5, *counts.values()])
    bars = [
        (label, tone(label, order), counts[label], 100 * counts[label] / most) for label in counts
    ]
    bars.sort(key=lambda bar: order.index(bar[0]))
    drawn = timeline.draw(moods, order, now)
    covered = coverage(moods, moods[0].start, now) if moods and moods[0].start < now else None
    return {
        "view": view,
        "latest": latest,
        "sentence": sentence(view),
        "bars": bars,
        "timeline": drawn,
        "covered": covered and not_seen(covered),
        "tones": {label: tone(label, order) for label in order},
        "width": timeline.WIDTH,
        "height": timeline.HEIGHT,
        "minutes": int(timeline.SPAN.total_seconds() / 60),
    }


def router(store: Store, rooms: Rooms, app: FastAPI) -> APIRouter:
    """All routes that answer with a page."""
    templates = Jinja2Templates(directory=HERE / "templates")
    templates.env.filters["rfc3339"] = rfc3339
    templates.env.trim_blocks = templates.env.lstrip_blocks = True
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @pages.get("/")
    def index(request: Request) -> Any:
        views = [(view, sentence(view)) for view in rooms.all()]
        return templates.TemplateResponse(request, "rooms.html", {"views": views})

    @pages.get("/rooms/{site}/{room}")
    def room_page(request: Request, site: SiteName, room: RoomName) -> Any:
        return _room(request, "room.html", site, room)

    @pages.get("/rooms/{site}/{room}/panel")
    def room_panel(request: Request, site: SiteName, room: RoomName) -> Any:
        return _room(request, "panel.html", site, room)

    def _room(request: Request, template: str, site: str, room: str) -> Any:
        view = rooms.view(site, room)
        if view.mood is None and view.status is None:
            context = {"message": f"No room '{room}' of site '{site}' has been heard of yet."}
            return templates.TemplateResponse(request, "error.html", context, status_code=404)
        return templates.TemplateResponse(request, template, panel(view, store))

    @pages.get("/api/docs")
    def docs(request: Request) -> Any:
        return templates.TemplateResponse(request, "docs.html", {"openapi": app.openapi()})

    return pages
