"""`roommood collector restore`, `resend`, `erase`: the stored data."""

from __future__ import annotations

import difflib
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from collector.access.command_access import BY, open_collector, open_database
from collector.config import CollectorSettings
from collector.retention.backup_commands import (
    copy_beside_backups,
    site_of,
    take_over_folder,
)
from edge.common.command import config_option
from edge.common.errors import UserError
from edge.common.privileges import become_owner
from edge.common.say import say
from edge.common.settings import load

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from collector.storage.erasure_notes import Erasure


def _opened_file(path: Path) -> IO[bytes]:
    """Opened as whoever calls, before the command goes on as the collector's user."""
    try:
        return path.open("rb")
    except OSError as error:
        raise UserError(str(error.strerror), path, "choose another place") from None


def _notes_beside(source: Path) -> list[Erasure]:
    """What was erased, as the folder of backups has it; raises UserError where a part of it cannot
    be read."""
    from collector.storage.erasure_notes import FILE, whole_notes

    path = source.resolve().parent / FILE
    return whole_notes(path) if path.is_file() else []


def _public_half(site: Path | None) -> bytes | None:
    """Of the key that signs updates, where it lies beside the site; root alone can read it."""
    try:
        return None if site is None else (site / "signing" / "site.pub").read_bytes()
    except OSError:
        return None


def _about_the_key(site: Path, is_there: bool, fits: bool) -> str:
    """A backup has the public half of the key that signs updates, and never the key itself."""
    if fits:
        return "the signing key on this machine is the one that devices know"
    key = site / "signing" / "site.key"
    if is_there:
        return (
            f"{key} is another site's: devices refuse what it signs. Put the right key back from "
            "your copy, or replace it: `sudo roommood site replace-key`"
        )
    return (
        "the key that signs updates is in no backup: keep your copy of it where IT signs; "
        "if it is lost, replace it: `sudo roommood site replace-key`"
    )


@click.command()
@config_option
@click.option(
    "--from", "source", required=True, type=click.Path(path_type=Path), help="Backup file to read."
)
@click.option(
    "--erasures",
    "notes",
    type=click.Path(path_type=Path),
    help="What was erased since, as another state folder's erasures.jsonl has it; one that lies "
    "beside the backup is read anyway.",
)
def restore(config: Path, source: Path, notes: Path | None) -> None:
    """Fill a new, empty database from a backup; what was erased since is erased again."""
    from collector.retention.restore import restore as restore_backup
    from collector.retention.restored_accounts import restored_accounts
    from collector.storage.erasure_notes import whole_notes
    from collector.storage.sole_use import SoleUse

    settings = load(CollectorSettings, config)
    file = _opened_file(source)
    erasures = [*_notes_beside(source), *(whole_notes(notes) if notes else [])]
    site = site_of(settings)
    own_half = _public_half(site)
    become_owner(settings.state)
    with open_database(settings, is_new=True) as engine:
        use = SoleUse(engine)
        try:
            rows = restore_backup(engine, settings.state, source, site_of(settings), file, erasures)
            sentences = list(restored_accounts(engine))
            take_over_folder(settings)
        finally:
            use.end()
    say(f"{source}: {sum(rows.values())} rows restored")
    for sentence in sentences:
        say(f"roommood: {sentence}", err=True)
    if site is not None and (site / "site.pub").exists():
        fits = own_half == (site / "site.pub").read_bytes()
        say(f"roommood: {_about_the_key(site, own_half is not None, fits)}", err=True)


@click.command()
@config_option
@click.option(
    "--since",
    required=True,
    type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ"]),
    help="Ask for windows from then on (UTC, like 2026-03-02T08:15:00Z).",
)
def resend(config: Path, since: datetime) -> None:
    """Ask the devices for windows again that were stored and lost; `restore` does it by itself."""
    from datetime import timezone

    from collector.storage.database import begin
    from collector.storage.resend_mark import mark

    with open_collector(config) as (engine, _accounts, audit, _settings):
        with begin(engine) as connection:
            mark(connection, since.replace(tzinfo=timezone.utc).timestamp())
        audit.add(BY, "windows asked again", f"{since:%Y-%m-%dT%H:%M:%SZ}")
    say(f"windows since {since:%Y-%m-%dT%H:%M:%SZ}: devices are asked as they are heard")


def _check_exists(engine: Engine, place: tuple[str, str]) -> None:
    """Raises UserError for a room of which nothing is known: a slip would look like a success.

    One that was erased is known by that: whoever does not know whether the first time was cut short
    erases it again.
    """
    from sqlalchemy import select

    from collector.storage.store import Store
    from collector.storage.tables import devices, erasures, lessons

    rooms = set(Store(engine).rooms())
    with engine.connect() as connection:
        for table in (lessons, devices, erasures):
            query = select(table.c.site, table.c.room).distinct()
            rooms |= {(row.site, row.room) for row in connection.execute(query)}
    if place not in rooms:
        near = difflib.get_close_matches("/".join(place), ["/".join(one) for one in rooms], n=1)
        hint = f"did you mean {near[0]}?" if near else "see `roommood device list`"
        raise UserError("there is no such room", "/".join(place), hint)


@click.command()
@config_option
@click.option("--room", help="Erase all windows and lessons of this room (site/room).")
@click.option("--lesson", type=int, help="Erase this lesson (by number) and its windows.")
def erase(config: Path, room: str | None, lesson: int | None) -> None:
    """Delete a room's or a lesson's data for good, on its device too when that is next heard."""
    from collector.access.accounts import read_room
    from collector.lessons.repository import LessonRepository
    from collector.retention.erasing import erase_lesson, erase_room
    from collector.storage.backup_note import moment
    from collector.storage.erasure_notes import FILE
    from collector.storage.erasures import Erasures

    if (room is None) == (lesson is None):
        raise UserError("nothing to erase", "erase", "add --room site/room or --lesson NUMBER")
    with open_collector(config) as (engine, _accounts, audit, settings):
        erasures = Erasures(engine, settings.state)
        if room is not None:
            about, details, place = room, "", read_room(room)
            _check_exists(engine, place)
            windows = erase_room(erasures, *place)
        else:
            repository = LessonRepository(engine)
            record = repository.lesson(int(lesson or 0))
            about = f"lesson {record.id} in {record.site}/{record.room}"
            details = f", '{record.title}' of {moment(record.start)}"
            windows = erase_lesson(erasures, record)
        audit.add(BY, "erased", f"{about}: {windows} windows")
    say(f"{about}{details}: {windows} windows deleted")
    notice = (
        "backups made before now still hold them: delete those too, or keep "
        f"{settings.state / FILE} with them, by which `restore` erases "
        "again"
    )
    say(f"roommood: {about}: {notice}", err=True)
    if settings.backup.place(settings.state) is not None:
        command = f"`sudo roommood collector backup --keep 1 --config {config}`"
        hint = f"{command} makes a new one and deletes the others"
        say(f"roommood: of those in the folder of backups, {hint}", err=True)
        copy_beside_backups(settings)
