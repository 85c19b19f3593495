"""What `roommood agent check` does once it has the settings: tries every part as `run` would."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from edge.camera import make
from edge.camera.attempt import picture_size
from edge.camera.recording import Recording
from edge.common.address import mask_source
from edge.common.calendar_sources import COPIES
from edge.common.checklist import GAP, Checklist
from edge.common.command import days_from
from edge.common.errors import Problem
from edge.common.places import RoomPlace
from edge.common.reach import place, try_connection
from edge.common.say import say
from edge.config import AgentSettings
from edge.factories import fittings, parts_to_try
from edge.permission.mode import decide
from edge.permission.schedule import Schedule
from edge.permission.schedule_settings import ScheduleSettings
from edge.vision.detectors import choose, search
from edge.vision.forms import open_form
from edge.vision.interpreter import TfliteClassifier

WATCH_S = 1.5
"""A camera that overwrites its picture does so every second, as a rule."""


def try_all(settings: AgentSettings, has_room: bool) -> int:
    """Says of each part how it does; returns the exit status.

    Before enrolment (`has_room` is False) there is no broker to be tried.
    """
    checklist, labels = Checklist(), list[str]()
    with checklist.part():
        labels += _try_model(settings)
    has_picture = False
    with checklist.part():
        _try_camera(settings)
        has_picture = True
    with checklist.part():
        _try_detector(settings)
    for name, try_part in parts_to_try(settings, labels).items():
        with checklist.part():
            try_part()
            say(f"{name}: ok")
    with checklist.part():
        _say_mode(settings, has_picture)
    parts = fittings(settings)
    say(f"in the room: {', '.join(parts) or 'nothing to switch it off with or see it by'}")
    if has_room:
        with checklist.part():
            wrong = try_connection(settings.broker, "check")
            say(f"broker: {wrong or f'{place(settings.broker)}: ok'}")
            checklist.note(GAP if wrong else 0)
    else:
        say("broker: not tried: this device is not enrolled yet: `roommood device enrol`")
    if settings.schedule is not None:
        _try_schedule(settings.schedule, settings.place, settings.state / COPIES, checklist)
    return checklist.end()


def _try_model(settings: AgentSettings) -> tuple[str, ...]:
    """Says how the model runs; returns its labels."""
    pack, model, form = open_form(settings.model)
    classifier = TfliteClassifier(model, pack.input, len(pack.labels))
    say(f"model: {pack.name} ({pack.digest}) on {classifier.runtime} as {form}: ok")
    return tuple(pack.labels)


def _try_camera(settings: AgentSettings) -> None:
    camera = make(settings.camera, settings.transport)
    width, height = picture_size(camera, mask_source(settings.camera))
    say(f"camera: {width}x{height}: ok")


def _try_detector(settings: AgentSettings) -> None:
    search(settings.faces, has_classifier=False)
    choice = choose(settings.faces)
    say(f"detector: {choice.sentence}: {choice.problem or 'ok'}")


def _say_mode(settings: AgentSettings, has_picture: bool) -> None:
    """What was decided about the source and why, and what may be read therefore; of one that gives
    no picture nothing is known, and it counts as live."""
    recording = Recording(settings.camera)
    recording.watch(WATCH_S)
    why = recording.live() if has_picture else "it gives no picture, see above"
    mode = decide(settings, date.today(), why)
    verdict = "recorded: nobody is being watched" if why is None else f"live: {why}"
    say(f"source: {verdict}")
    say(f"mode: {mode.name}: {mode.sentence}{': ' if mode.remedy else ''}{mode.remedy}")


def _try_schedule(
    schedule: ScheduleSettings, room: RoomPlace, copies: Path, checklist: Checklist
) -> None:
    """Each of its calendars by itself, then the week."""
    places = [one for one in (schedule.calendar, schedule.holidays_calendar) if one is not None]
    alone = {"holidays_calendar": None}
    readable = [
        _is_read(schedule.model_copy(update=alone | {"calendar": one}), room, copies, checklist)
        for one in places
    ]
    if all(readable):
        with checklist.part():
            checklist.note(GAP if _look_at(schedule, room, copies) else 0)


def _is_read(
    schedule: ScheduleSettings, room: RoomPlace, copies: Path, checklist: Checklist
) -> bool:
    with checklist.part():
        Schedule(schedule, room, copies, keeps=False)
        return True
    return False


def _look_at(schedule: ScheduleSettings, room: RoomPlace, copies: Path) -> Problem | None:
    """Says what the coming week's lessons are; returns why a calendar was not fetched."""
    wrong = None
    timetable = Schedule(schedule, room, copies, keeps=False)
    for calendar, reads in timetable.web_sources:
        problem, sentence = calendar.look(reads)
        wrong = wrong or problem
        say(f"calendar: {sentence}")
    plans = [timetable.on(day) for day in days_from(None, 7)]
    spans = {span for plan in plans for span in plan.spans}
    if timetable.emptiness is not None:
        say(f"roommood: {timetable.emptiness}", err=True)
    times = f"open {len(spans)} times" if spans else "no lesson: the camera stays closed"
    say(f"schedule: {times} in the coming week")
    if timetable.only_place:
        say(
            f"schedule: the calendar's only place, {timetable.only_place}, is taken for "
            f"{room.room}; if it is another room, set 'schedule.calendar_rooms' to how the "
            "calendar writes this one"
        )
    left_out = (one for plan in plans for one in plan.ignored_events)
    for event in dict.fromkeys((*timetable.faults, *left_out)):
        say(f"schedule: ignored: {event.event}: {event.why}")
    if elsewhere := [one for plan in plans for one in plan.elsewhere]:
        one = elsewhere[0]
        say(
            f"schedule: {len(elsewhere)} events are not in {room.room}, such as {one.event}, which "
            f"{one.why}; `roommood agent schedule` has them all"
        )
    return wrong
