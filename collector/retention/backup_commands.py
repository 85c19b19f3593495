"""`roommood collector backup`, `backups`: into a file, or into a folder of the newest."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from sqlalchemy.engine import make_url

from collector.access.command_access import BY, open_collector
from collector.access.secret import has_key, make_folder, own_key
from collector.config import CollectorSettings
from collector.storage import backup_note
from collector.storage.backup_note import BackupNote, moment
from edge.common.command import config_option, json_lines, log_to_stderr
from edge.common.errors import Problem, UserError, in_words
from edge.common.privileges import become_owner, owner_for_now
from edge.common.say import say, say_json
from edge.common.settings import load
from edge.protocol.messages import rfc3339_of

if TYPE_CHECKING:
    from collector.retention.backup_folder import BackupRecord
    from collector.retention.backup_run import Outcome

DATABASE_ENDS = ("", "-wal", "-shm", "-journal", ".lock")
"""Of the names of SQLite's files, and of ours beside it."""
GZIP = b"\x1f\x8b"
"""How a backup begins."""


def site_of(settings: CollectorSettings) -> Path | None:
    return settings.fleet.folder if settings.fleet else None


@click.command()
@config_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File to write; without it, a new one in the folder of backups.",
)
@click.option(
    "--keep",
    type=click.IntRange(1, 1000),
    help="How many stay in the folder this time; by default as the settings say.",
)
@click.option(
    "--erasures-only",
    is_flag=True,
    help="Write no backup, only the list of what was erased, beside the backups.",
)
def backup(config: Path, out: Path | None, keep: int | None, erasures_only: bool) -> None:
    """Write all of the collector's data, its key included, into one file.

    In the folder of backups it is read through before older ones are deleted.
    """
    settings = load(CollectorSettings, config)
    if out is not None:
        if keep is not None or erasures_only:
            option = "--erasures-only" if erasures_only else "--keep"
            raise UserError("is for the folder of backups", option, "leave out --out")
        _write_file(config, settings, out)
        return
    place = _folder_of(settings, config)
    log_to_stderr("warning")
    become_owner(settings.state)
    if erasures_only:
        copy_beside_backups(settings)
        return
    outcome = _write_into(config, settings, place, keep or settings.backup.keep)
    record = outcome.record
    mb = record.size / 1e6
    say(f"{place / record.name}: {record.rows} rows, {mb:.1f} MB, read through")
    if outcome.surplus:
        say(
            f"roommood: older than the newest {outcome.good}, deleted: "
            f"{', '.join(outcome.surplus)}",
            err=True,
        )
    for name in outcome.damage:
        say(
            f"roommood: {place / name}: is not what was written: `roommood collector "
            "backups` lists it; it goes when enough newer ones are there",
            err=True,
        )


def _folder_of(settings: CollectorSettings, config: Path) -> Path:
    place = settings.backup.place(settings.state)
    if place is None:
        raise UserError(
            "no folder for backups is set",
            config,
            "add `backup: {folder: …}`, or name a file with --out",
        )
    return place


@contextlib.contextmanager
def _note_failure(state: Path) -> Iterator[None]:
    """Why a run failed stays in the state folder, for whoever watches the collector."""
    try:
        yield
    except Exception as error:
        words = str(error) if isinstance(error, Problem) else in_words(error)
        failure = " ".join(words.split())[:500]
        note = backup_note.read(state)._replace(failure=failure, failure_at=time.time())
        with contextlib.suppress(OSError):
            backup_note.write(state, note)
        raise


def _write_into(config: Path, settings: CollectorSettings, place: Path, keep: int) -> Outcome:
    from collector.retention.backup_folder import BackupFolder
    from collector.retention.backup_run import BackupRun, one_at_a_time, owner_of

    state = settings.state
    make_folder(state)
    try:
        with one_at_a_time(state), _note_failure(state):
            with open_collector(config) as (engine, _accounts, audit, _settings):
                key = own_key(state)
                folder = BackupFolder(place, owner_of(key))
                audit.add(BY, "backup made", str(place))
                run = BackupRun(engine, state, site_of(settings), key, folder)
                outcome = run.run(keep, backup_note.read(state).number)
            new = outcome.record
            backup_note.write(
                state,
                BackupNote(
                    new.number, new.name, new.at, new.size, outcome.good, tuple(outcome.damage)
                ),
            )
    except OSError as error:
        owner = "the folder has to be the collector's user's own, and writable"
        remedy = owner if isinstance(error, PermissionError) else "free space there, and try again"
        raise UserError(in_words(error), error.filename or place, remedy) from None
    return outcome


def _is_free(place: Path) -> bool:
    """Whether there is nothing, or an earlier backup."""
    try:
        with place.open("rb") as file:
            return file.read(2) in (b"", GZIP)
    except OSError:
        return True


def _check_place(out: Path, settings: CollectorSettings) -> None:
    """Raises UserError for a backup in place of what it is a backup of."""
    place, url = out.resolve(), make_url(settings.database)
    own = [settings.state.resolve()]
    if settings.fleet is not None:
        own.append(settings.fleet.folder.resolve())
    names = [url.database] if url.get_backend_name() == "sqlite" and url.database else []
    files = [Path(f"{Path(name).resolve()}{end}") for name in names for end in DATABASE_ENDS]
    is_ours = any(folder in place.parents for folder in own) and not _is_free(place)
    if place in files or is_ours:
        raise UserError("is one of the collector's own files", out, "choose another place")


def _write_file(config: Path, settings: CollectorSettings, out: Path) -> None:
    from collector.retention.backup import backup as write_backup
    from collector.retention.whole_file import whole_file

    _check_place(out, settings)
    state = settings.state
    service = state.stat().st_uid if state.exists() else None
    try:
        # The file is the caller's, all else the service's: its database gets no file of root's.
        with (
            whole_file(out, service) as file,
            owner_for_now(state),
            open_collector(config) as (engine, _accounts, audit, _settings),
        ):
            audit.add(BY, "backup made", out.name)
            rows = write_backup(engine, settings.state, out, site_of(settings), file)
    except OSError as error:
        raise UserError(
            str(error.strerror), error.filename or out, "choose another place"
        ) from None
    summary = ", ".join(f"{name} {count}" for name, count in rows.items() if count)
    say(f"{out}: {summary or 'nothing yet'}")


def copy_beside_backups(settings: CollectorSettings) -> None:
    """Of what was erased, so that no backup in the folder brings it back even where the state
    folder is lost; says where that cannot be done now: the next backup does it."""
    from collector.retention.backup_folder import check_private
    from collector.retention.backup_run import copy_erasures

    place = settings.backup.place(settings.state)
    if place is None or (settings.backup.folder is None and not place.exists()):
        return
    try:
        check_private(place)
        copy_erasures(settings.state, place)
    except (OSError, UserError) as error:
        why = str(error) if isinstance(error, UserError) else f"{place}: {in_words(error)}"
        say(f"roommood: {why}; the next backup brings the list of erasures there", err=True)


def take_over_folder(settings: CollectorSettings) -> None:
    """After a restore: the key is another than that of whoever began to back up into the folder, as
    where a machine was installed first. Their backups stay; nobody deletes them."""
    from collector.retention.backup_folder import LIST, BackupFolder
    from collector.retention.backup_run import owner_of

    place = settings.backup.place(settings.state)
    if place is None or not (place / LIST).exists():
        return
    try:
        BackupFolder(place, owner_of(own_key(settings.state)))
    except UserError:
        with contextlib.suppress(OSError):
            (place / LIST).unlink()


@click.command()
@config_option
@click.option("--verify", is_flag=True, help="Read each one through first.")
@json_lines
def backups(config: Path, verify: bool, as_json: bool) -> int:
    """Print the backups in their folder, newest first; exit status 1 if IT should look."""
    from collector.retention.backup_folder import BackupFolder
    from collector.retention.backup_run import one_at_a_time, owner_of, read_again

    settings = load(CollectorSettings, config)
    place, state = _folder_of(settings, config), settings.state
    become_owner(state)
    if not has_key(state):  # nor is one made: it would not be that of the backups
        raise UserError("the collector's key is not there", state, "restore the newest backup")
    folder = BackupFolder(place, owner_of(own_key(state)))
    if verify:
        with one_at_a_time(state):
            folder.forget_missing()
            folder.put(*(read_again(place, one) for one in folder.records))
            damage = tuple(one.name for one in folder.records if one.problem)
            note = backup_note.read(state)
            backup_note.write(state, note._replace(good=len(folder.good()), damage=damage))
    for one in folder.records:
        _show(one, as_json)
    problem = backup_note.read(state).problem(time.time(), settings.backup.late_after_hours * 3600)
    if problem:
        say(f"roommood: {problem}", err=True)
    return 1 if problem else 0


def _show(one: BackupRecord, as_json: bool) -> None:
    if as_json:
        fields = {
            **{"number": one.number, "file": one.name, "made": rfc3339_of(one.at)},
            **{"bytes": one.size, "rows": one.rows, "sha256": one.sha256},
            **{"read": rfc3339_of(one.checked_at), "problem": one.problem or None},
        }
        say_json(json.dumps(fields))
        return
    words = (one.name, f"{one.rows} rows", f"{one.size / 1e6:.1f} MB")
    read = f"read through {moment(one.checked_at)}"
    say("\t".join((str(one.number), *words, one.problem or read)))
