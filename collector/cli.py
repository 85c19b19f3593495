"""`roommood collector`: run, check, show-config, accounts, audit log, backup, evidence, erasing."""

from __future__ import annotations

import json
import sys
import threading
from datetime import datetime
from pathlib import Path

import click

from collector.access.command_access import (
    BY,
    disk_errors,
    open_collector,
    open_database,
    try_writing,
)
from collector.config import CollectorSettings
from collector.evidence.commands import evidence
from collector.lessons.timetable import timetable_of
from collector.retention.backup_commands import backup, backups
from collector.retention.commands import erase, resend, restore
from collector.storage.database import RESTORE, damage, url_to_show
from collector.storage.erasure_notes import ErasureNotes
from edge.common.checklist import GAP, Checklist
from edge.common.command import (
    config_option,
    days_from,
    echo_plan,
    json_lines,
    log_to_stderr,
    plan_options,
    stop_on_signals,
    warn_of_calendars,
)
from edge.common.command_group import CommandGroup
from edge.common.errors import Problem, UserError
from edge.common.privileges import owner_for_now
from edge.common.reach import place, try_connection
from edge.common.say import say, say_json, say_lines
from edge.common.settings import load, show

MOST_ROOMS = 30
"""Names of rooms that a check prints."""


@click.group(cls=CommandGroup)
def collector() -> None:
    """The server: stores the counts and shows them."""


@collector.command()
@config_option
def run(config: Path) -> None:
    """Store what the rooms publish and serve the pages, until stopped."""
    settings = load(CollectorSettings, config)
    log_to_stderr(settings.log_level)
    from collector.service import Service
    from edge.common.watchdog import TRY_AGAIN, Watchdog

    with disk_errors(settings.database, settings.state):
        service = Service(settings)
    stopping, reasons = threading.Event(), list[str]()

    def give_up(why: str) -> None:
        reasons.append(why)
        stopping.set()

    stop_on_signals(stopping.set)
    watchdog = Watchdog(service.fatal_problem, service.sentence, give_up)
    try:
        service.start()
        watchdog.start()
        say(f"roommood: pages at {service.url}", err=True)
        first = service.first_run()
        if first is not None:
            say(
                f"roommood: no account yet; to create one, open this within an hour: {first}",
                err=True,
            )
        stopping.wait()
    finally:
        if not reasons:
            watchdog.stop()
        service.stop()
        watchdog.stop()
    if reasons:
        sys.exit(TRY_AGAIN)


@collector.command()
@config_option
def check(config: Path) -> int:
    """Try settings, database, broker, mail server and timetable, and list every fault; exit status
    2 where something cannot be used, 1 where something is not reached."""
    settings = load(CollectorSettings, config)
    from collector.pages.sub_path import check_base
    from collector.run.web_server import check_certificate

    say(f"settings: {config}: ok")
    checklist = Checklist()
    with checklist.part():
        check_base(settings.web.base)
    with checklist.part():
        check_certificate(settings.web.certificate, settings.web.key)
    if settings.fleet is not None:
        from collector.fleet.files import SiteFiles

        with checklist.part():
            SiteFiles(settings.fleet.folder).load()
            say("site: ok")
    for site in settings.public:
        with checklist.part():
            _look_at_public_page(settings, site)
    with checklist.part():
        checklist.note(GAP if _look_at_timetable(settings) else 0)
    with checklist.part():
        wrong = try_connection(settings.broker, "check")
        say(f"broker: {wrong or f'{place(settings.broker)}: ok'}")
        checklist.note(GAP if wrong else 0)
    if settings.alerts is not None and settings.alerts.email is not None:
        from collector.alerts.smtp import place as mail_place
        from collector.alerts.smtp import try_server

        with checklist.part():
            wrong = try_server(settings.alerts.email)
            say(wrong or f"mail server: {mail_place(settings.alerts.email)}: ok")
            checklist.note(GAP if wrong else 0)
    state = settings.state
    with checklist.part(), owner_for_now(state), open_database(settings) as engine:
        if wrong_pages := damage(engine):
            raise UserError(
                f"is damaged ({wrong_pages})", f"database {url_to_show(engine)}", RESTORE
            )
        try_writing(engine, state)
        say("database: ok")
    with checklist.part():
        ErasureNotes(settings.state).whole()
    with checklist.part():
        checklist.note(GAP if _look_at_backups(settings) else 0)
    return checklist.end()


def _look_at_backups(settings: CollectorSettings) -> str:
    """Says how they are doing; returns what IT has to know. Raises UserError for a folder that
    cannot take any."""
    from collector.retention.backup_folder import check_private
    from collector.run.backup_watch import backup_state

    state, place = backup_state(settings), settings.backup.place(settings.state)
    if state is None or place is None:
        return ""
    check_private(place)
    say(f"backups: {state.problem or f'ok, {state.good} in {place}'}")
    return state.problem


def _look_at_public_page(settings: CollectorSettings, site: str) -> None:
    """Raises UserError for an attestation that no device would believe."""
    from collector.fleet.attestations import read_attestation
    from edge.protocol.attestation import public_key

    key = settings.site_key(site)
    for path in settings.public[site].attestations:
        one = read_attestation(path, public_key(key or path), site).attestation
        rooms = ", ".join(one.rooms)
        say(f"public page: {path}: {rooms}, {one.first_day} to {one.last_day}")
    url = settings.web.url
    say(f"public page: {url or ''}/about/{site}: ok")
    if url is None:
        say(
            "roommood: public page: its QR codes lead to this machine's own address: "
            "set web.url to the one that people use",
            err=True,
        )


@collector.command("test-mail")
@config_option
def test_mail(config: Path) -> None:
    """Send a test mail to everybody whom alerts would reach."""
    from collector.alerts.wiring import send_test

    count = send_test(load(CollectorSettings, config))
    say(f"sent to {count} recipients" if count > 1 else "sent to 1 recipient")


def _look_at_timetable(settings: CollectorSettings) -> Problem | None:
    """Says what the coming week's lessons are; returns why the timetable was not fetched."""
    unread: Problem | None = None
    if (table := timetable_of(settings, keeps=False)) is None:
        return None
    for calendar, reads in table.web_sources:
        unread, sentence = calendar.look(reads)
        say(f"timetable: {sentence}")
    plans = [table.on(day) for day in days_from(None, 7)]
    count = sum(len(lessons) for lessons, _ in plans)
    if table.emptiness is not None:
        say(f"roommood: {table.emptiness}", err=True)
    ignored_events = {*table.faults, *(one for _, left_out in plans for one in left_out)}
    lessons = f"{count} lessons" if count else "no lesson"
    well = "ok: " if count and not unread else ""
    say(f"timetable: {well}{lessons} in the coming week, {len(ignored_events)} ignored")
    places = sorted(
        {f"{one.site}/{one.room}" if one.site else one.room for day, _ in plans for one in day}
    )
    if places:
        more = f" and {len(places) - MOST_ROOMS} more" if len(places) > MOST_ROOMS else ""
        say(
            f"timetable: in {', '.join(places[:MOST_ROOMS])}{more}; where a device's room has "
            "another name, write under 'rooms' how the timetable writes it"
        )
    for one in sorted(ignored_events):
        say(f"timetable: ignored: {one.event}: {one.why}")
    return unread


@collector.command("show-config")
@config_option
def show_config(config: Path) -> None:
    """Print the settings in force, defaults included, secrets masked."""
    say_lines(show(load(CollectorSettings, config)), nl=False)


@collector.command()
@config_option
@plan_options
def timetable(config: Path, first: datetime | None, days: int, as_json: bool) -> None:
    """Print the lessons that the timetable has, and the events that are none, with the reason."""
    table = timetable_of(load(CollectorSettings, config), keeps=False)
    if table is None:
        raise UserError("there is no timetable", config, "name one as school.timetable")
    warn_of_calendars(table.web_sources)
    plans = [table.on(day) for day in days_from(first, days)]
    lessons = [
        {
            "room": one.room if one.site is None else f"{one.site}/{one.room}",
            "title": one.title,
            "teacher": one.teacher,
            "start": one.start.isoformat(),
            "end": one.end.isoformat(),
        }
        for lessons, _ in plans
        for one in lessons
    ]
    left_out = (one for _, ignored_events in plans for one in ignored_events)
    echo_plan("lessons", lessons, (*table.faults, *left_out), as_json, "no lesson in these days")


@collector.group()
def account() -> None:
    """Who may sign in."""


@account.command("add")
@config_option
@click.argument("name")
@click.option("--role", required=True, help="administrator, it or teacher.")
@click.option(
    "--room", "rooms", multiple=True, help="Room (site/room) that the account may see; repeatable."
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add_account(
    config: Path, name: str, role: str, rooms: tuple[str, ...], password_stdin: bool
) -> None:
    """Create an account; asks for its password."""
    from collector.access.accounts import read_room

    own = [read_room(room) for room in rooms]
    with open_collector(config) as (_, accounts, audit, _settings):
        new_account = accounts.add(name, role, own, _password(password_stdin))
        audit.add(BY, "account made", f"{new_account.name}, {new_account.role}")
    say(f"{new_account.name}: {new_account.role}")


@account.command("password")
@config_option
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def new_password(config: Path, name: str, password_stdin: bool) -> None:
    """Set an account's password, which ends its sessions."""
    with open_collector(config) as (_, accounts, audit, _settings):
        accounts.change(accounts.by_name(name), password=_password(password_stdin))
        audit.add(BY, "password changed", name)


@account.command("remove")
@config_option
@click.argument("name")
def remove_account(config: Path, name: str) -> None:
    """Remove an account, with its sessions and tokens."""
    with open_collector(config) as (_, accounts, audit, _settings):
        accounts.remove(accounts.by_name(name))
        audit.add(BY, "account removed", name)


@account.command("list")
@config_option
@json_lines
def list_accounts(config: Path, as_json: bool) -> None:
    """Print every account with its role and rooms."""
    with open_collector(config) as (_, accounts, _audit, _settings):
        for one in accounts.all():
            rooms = [f"{site}/{room}" for site, room in sorted(one.rooms)]
            if as_json:
                say_json(json.dumps({"name": one.name, "role": one.role, "rooms": rooms}))
            else:
                say(f"{one.name}\t{one.role}\t{' '.join(rooms)}")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password


@collector.group("audit")
def audit_log() -> None:
    """The audit log."""


@audit_log.command("verify")
@config_option
@click.option(
    "--witness",
    "witnesses",
    multiple=True,
    help="A head that was written down elsewhere: its number and seal, as `head` prints them.",
)
def verify(config: Path, witnesses: tuple[str, ...]) -> int:
    """Check whether the log was tampered with, and where; exit status 1 if it was."""
    from collector.access.audit_note import Head, read_head

    heads: list[Head] = []
    for text in witnesses:
        head = read_head(text)
        if head is None:
            remedy = "write a number and a seal, as `audit head` does"
            raise UserError(f"'{text}' is no head", "--witness", remedy)
        heads.append(head)
    with open_collector(config) as (_, _accounts, audit, _settings):
        wrong = list(audit.wrong(heads))
        for line in wrong:
            say(f"audit log: {line}")
        if not wrong:
            say(f"audit log: {len(audit)} entries; none changed, added or missing")
    return 1 if wrong else 0


@audit_log.command("head")
@config_option
def show_head(config: Path) -> None:
    """Print the newest entry's number and seal, to be written down elsewhere."""
    with open_collector(config) as (_, _accounts, audit, _settings):
        say(str(audit.head()))


@audit_log.command("show")
@config_option
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=50,
    show_default=True,
    help="How many entries to print.",
)
@json_lines
def show_log(config: Path, limit: int, as_json: bool) -> None:
    """Print the newest entries first."""
    from datetime import datetime, timezone

    from edge.common.text import printable

    with open_collector(config) as (_, _accounts, audit, _settings):
        for entry in audit.newest(limit):
            at = datetime.fromtimestamp(entry.at, timezone.utc)
            when = f"{at:%Y-%m-%dT%H:%M:%SZ}"
            texts = {"who": entry.who, "what": entry.what, "about": entry.about}
            if as_json:
                say_json(json.dumps({"number": entry.number, "at": when} | texts))
            else:
                line = (str(entry.number), when, *texts.values())
                say("\t".join(printable(part) for part in line))  # no tab of others either


for command in (backup, backups, restore, resend, erase, evidence):
    collector.add_command(command)
