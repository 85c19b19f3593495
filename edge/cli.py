"""`roommood agent`: run, set, check, doctor, aim, pin, schedule, cameras, show-config."""

from __future__ import annotations

import json
import logging
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.common.calendar_sources import COPIES
from edge.common.command import (
    config_option,
    days_from,
    echo_plan,
    log_to_stderr,
    plan_options,
    stop_on_signals,
    warn_of_calendars,
)
from edge.common.command_group import CommandGroup
from edge.common.errors import Stall, UserError
from edge.common.privileges import become_owner
from edge.common.say import say, say_json, say_lines
from edge.common.settings import read_text, show
from edge.common.watchdog import TRY_AGAIN
from edge.config import AgentSettings
from edge.device.managed_settings import (
    agent_settings,
    enrolment_of,
    is_enrolled,
    overrides,
    settings_to_try,
)
from edge.permission.audit import DeviceAuditLog
from edge.permission.pin import FILE, SHORTEST, Pin, hash_pin
from edge.permission.schedule import Schedule
from edge.protocol.messages import Command
from edge.run.memory import no_core_dumps, no_swap
from edge.run.state_lock import hold_state

if TYPE_CHECKING:
    from edge.agent import Agent
    from edge.aim.session import Read

log = logging.getLogger(__name__)

NEVER_OPEN = "no lesson in these days: the camera stays closed"


def _in_force(config: Path) -> AgentSettings:
    """With the update that is in use; on a device that is not enrolled yet, without a room."""
    from edge.device.slots import Updates

    state = enrolment_of(config)
    if state is None or not is_enrolled(config):
        return settings_to_try(config)
    become_owner(state)  # root would leave files there that the service cannot write
    return agent_settings(config, Updates(state).update_state().current)


@click.group(cls=CommandGroup)
def agent() -> None:
    """The agent in the room."""


@agent.command()
@config_option
def run(config: Path) -> None:
    """Watch the room and publish its counts, until stopped."""
    settings = agent_settings(config)
    log_to_stderr(settings.log_level)

    no_core_dumps()
    if swappable := no_swap():
        log.warning("%s", swappable)
    with hold_state(settings.state):
        room_agent = _make_agent(config, settings)
        stop_on_signals(room_agent.stop)
        try:
            again = room_agent.run()
        except Stall:  # the supervisor has said what
            sys.exit(TRY_AGAIN)
        if again:  # an update is to be tried, or was rolled back
            sys.exit(TRY_AGAIN)


def _make_agent(config: Path, settings: AgentSettings) -> Agent:
    """The agent, on an enrolled device with the update that is in use or on trial.

    An update that the agent cannot even be made with is rolled back at once.
    """
    from edge.agent import Agent
    from edge.device.slots import Updates
    from edge.device.trial import UpdateTrial

    state = enrolment_of(config)
    if state is None:
        return Agent(settings)
    updates = Updates(state)
    number = updates.begin()
    try:
        return Agent(agent_settings(config, number), trial=UpdateTrial(state, number))
    except UserError as error:
        if updates.update_state().trying is None:
            raise
        updates.roll_back(str(error))
    number = updates.begin()
    return Agent(agent_settings(config, number), trial=UpdateTrial(state, number))


@agent.command("set")
@config_option
@click.argument("changes", nargs=-1, required=True, metavar="KEY=VALUE...")
@click.option(
    "--unit",
    default="roommood-agent.service",
    show_default=True,
    help="The service to restart, where it runs.",
)
def change_settings(config: Path, changes: tuple[str, ...], unit: str) -> None:
    """Change settings: checked, the agent restarted with them, undone if it does not come up."""
    from edge.device.change import apply, read_change
    from edge.device.slots import Updates
    from edge.device.unit import SystemdUnit

    new_values = [read_change(text) for text in changes]
    state = enrolment_of(config)
    update = None if state is None else Updates(state).update_state().current
    say(f"{config}: {apply(config, new_values, SystemdUnit(unit), update)}")
    for change in new_values:
        if state is not None and update is not None and overrides(state, update, change.keys):
            about = f"update {update} sets '{change.key}', and holds over this file"
            say(f"roommood: {config}: {about}", err=True)


@agent.command()
@config_option
def check(config: Path) -> int:
    """Try settings, model, camera, broker and calendars, and list every fault; exit status 2 where
    something cannot be used, 1 where something is not reached."""
    settings = _in_force(config)
    from edge.commands.check import try_all

    say(f"settings: {config}: ok")
    return try_all(settings, is_enrolled(config))


@agent.command("cameras")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="Settings file; not needed, and nothing of it is used.",
)
@click.option("--json", "as_json", is_flag=True, help="One object per line.")
def list_cameras(config: Path | None, as_json: bool) -> None:
    """List this machine's cameras, by the name to write in the settings."""
    from edge.camera.listing import cameras

    if config is not None:
        read_text(config)
    entries = cameras()
    for one in entries:
        if as_json:
            say_json(json.dumps(one._asdict()))
        else:
            say(f"{one.source}\t{one.title}")
    if not entries:
        say("no camera: plug one in; network cameras are named rtsp://…", err=True)


@agent.command()
@config_option
@plan_options
def schedule(config: Path, first: datetime | None, days: int, as_json: bool) -> None:
    """Print when the camera will be open, and the events that open nothing, with the reason."""
    settings = _in_force(config)
    if settings.schedule is None:
        raise UserError(
            "there is no 'schedule', so the camera is open at all times",
            config,
            "add 'schedule' to the settings",
        )
    plan = Schedule(settings.schedule, settings.place, settings.state / COPIES, keeps=False)
    warn_of_calendars(plan.web_sources)
    plans = [plan.on(day) for day in days_from(first, days)]
    spans = [
        {"start": span.start.isoformat(), "end": span.end.isoformat()}
        for one in plans
        for span in one.spans
    ]
    left_out = (event for one in plans for event in (*one.ignored_events, *one.elsewhere))
    echo_plan("open", spans, (*plan.faults, *left_out), as_json, NEVER_OPEN)


@agent.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def doctor(config: Path, as_json: bool) -> int:
    """Check everything the agent needs; exit status 1 if something is wrong."""
    from edge.commands.doctor import examine
    from edge.device.verdict import collector_link

    wrong, settings = 0, _in_force(config)
    for finding in examine(settings, is_enrolled(config), collector_link(settings.enrolled)):
        wrong += finding.state == "fault"
        if as_json:
            say_json(json.dumps(finding._asdict()))
            continue
        say(f"{finding.state:8} {finding.what}: {finding.seen}")
        if finding.remedy:
            say(f"{'':8} -> {finding.remedy}")
    return 1 if wrong else 0


@agent.command()
@config_option
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8644,
    show_default=True,
    help="Loopback port of the page; 0 picks a free one.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1, 600),
    default=600,
    show_default=True,
    help="Stop after this long.",
)
def aim(config: Path, port: int, seconds: float) -> None:
    """Show what the camera sees, on this machine only, to whoever knows the PIN.

    From another machine: ssh -L 8644:127.0.0.1:8644 DEVICE, and open the same address there.
    """
    settings = _in_force(config)
    log_to_stderr(settings.log_level)
    if settings.pin is None:
        raise UserError("'pin' is missing", config, "add the line that `roommood agent pin` prints")
    from edge.aim.session import Aim
    from edge.aim.sizes import LEAST_SIZE
    from edge.camera import make
    from edge.camera.capture import Capture
    from edge.factories import panel
    from edge.vision.detectors import search
    from edge.vision.pack import open_pack
    from edge.vision.pipeline import layout

    no_core_dumps()
    with hold_state(settings.state):
        light = panel(settings.gpio, lambda: None)
        faces = settings.faces.model_copy(update={"min_size": LEAST_SIZE, "rows": ()})
        room_layout = layout(faces)
        session = Aim(
            Capture(make(settings.camera, settings.transport), light.show),
            search(faces, has_classifier=False).thorough,
            room_layout,
            pin=Pin(settings.pin, path=settings.state / FILE),
            port=port,
            audit=DeviceAuditLog(settings.state / "audit.jsonl"),
            readable=open_pack(settings.model)[0].figures.get("smallest_face"),
            read=_reader(settings),
            seconds=seconds,
        )
        stop_on_signals(session.stop)
        say(f"roommood: camera view at {session.url}", err=True)
        try:
            report = session.run()
        finally:
            light.close()
    if report is None:
        say("no face was seen; nothing to propose")
        return
    say(f"# faces were {report.smallest} to {report.largest} pixels wide")
    say_lines(f"faces:\n  min_size: {report.proposed_min_size}")
    if rows := [[round(share, 3) for share in row] for row in room_layout.rows]:
        say("  rows:")
    for row in rows:
        say(f"    - {row}")


def _reader(settings: AgentSettings) -> Read | None:
    """What reads faces while aiming: under the same conditions as the agent, else nothing."""
    from edge.camera.recording import Recording
    from edge.permission.mode import decide
    from edge.vision.emotion import Expressions
    from edge.vision.forms import open_fast

    mode = decide(settings, date.today(), Recording(settings.camera).live())
    say(f"roommood: {mode.name}: {mode.sentence}", err=True)
    if mode.name == "headcount":
        return None
    expressions = Expressions.from_pack(*open_fast(settings.model))
    return lambda frame, boxes: [
        reading and reading.label for reading in expressions.read(frame, boxes)
    ]


@agent.command()
@config_option
def resume(config: Path) -> None:
    """Lift every pause, on this machine and while the agent is stopped.

    For a pause whose file could not be read, where there is neither button nor screen.
    """
    from edge.permission.switch import RUNTIME, SWITCH, Switch, note

    settings = _in_force(config)
    with hold_state(settings.state):
        switch = Switch(settings.state / SWITCH, note=note() or RUNTIME / SWITCH)
        before = switch.pause
        DeviceAuditLog(settings.state / "audit.jsonl").note("resumed", paused_by=before or "nobody")
        switch.obey(Command(command="resume"), by="kiosk")
    if switch.unwritten:
        raise UserError(switch.unwritten, settings.state / SWITCH, "check the disk")
    say(f"was paused by: {before or 'nobody'}. Now start the agent")


@agent.command()
def pin() -> None:
    """Ask for a PIN and print the settings' line for it."""
    new_pin = click.prompt("PIN", hide_input=True, confirmation_prompt=True, err=True)
    if len(new_pin) < SHORTEST:
        raise UserError(f"shorter than {SHORTEST} characters", "PIN", "choose a longer one")
    say(f"pin: {hash_pin(new_pin)}")


@agent.command("show-config")
@config_option
def show_config(config: Path) -> None:
    """Print the settings in force, defaults included, secrets masked."""
    say_lines(show(_in_force(config)), nl=False)
