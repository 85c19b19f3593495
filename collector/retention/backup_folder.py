"""A folder of backups, of which the newest stay: newer by number, whatever the clock said.

    roommood-000017-20261127T021500Z.tar.gz   the number orders them; the date is for people
    backups.json                              of each: bytes, SHA-256, rows, when it was last read
    erasures.jsonl                            what was erased, for `restore`: erasure_notes.py

A file takes such a name only after it was read through. What has another name is nobody's business
here, and neither are another collector's backups.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from edge.common import atomic_file
from edge.common.errors import UserError, in_words

log = logging.getLogger(__name__)

LIST = "backups.json"
NAME = re.compile(r"roommood-(\d{6,12})-[0-9TZ]+\.tar\.gz")
PRIVATE = 0o700


class BackupRecord(NamedTuple):
    """One backup: when it was made and last read (seconds since 1970), its bytes and rows, and what
    is wrong with it, or nothing."""

    number: int
    name: str
    at: float
    size: int
    sha256: str
    rows: int
    checked_at: float
    problem: str = ""


class BackupFolder:
    """`owner` tells one collector from another: two would delete each other's.

    Raises UserError for a folder that is not there, is not private, or is another collector's.
    """

    def __init__(self, path: Path, owner: str) -> None:
        self.path, self._owner = path, owner
        check_private(path)
        self.records = self._read()
        """The newest first."""

    def new_name(self, at: float, least: int = 0) -> tuple[int, str]:
        """The next number, above all that are or were there, and the name of its file."""
        there = [int(match[1]) for match in map(NAME.fullmatch, os.listdir(self.path)) if match]
        number = 1 + max([least, *there, *(one.number for one in self.records)])
        try:
            date = f"{datetime.fromtimestamp(at, timezone.utc):%Y%m%dT%H%M%SZ}"
        except (ValueError, OverflowError, OSError):
            date = "0"
        return number, f"roommood-{number:06d}-{date}.tar.gz"

    def put(self, *records: BackupRecord) -> None:
        """In place of what is known of the same files; on the disk when it returns."""
        by_name = {one.name: one for one in (*self.records, *records)}
        self._write(by_name.values())

    def unknown_files(self) -> list[Path]:
        """That have such a name and are in no list, newest first: it was lost, or a run killed."""
        names = {one.name for one in self.records}
        files = [name for name in os.listdir(self.path) if NAME.fullmatch(name)]
        return [self.path / name for name in sorted(set(files) - names, reverse=True)]

    def forget_missing(self) -> list[str]:
        """Those that somebody deleted are in the list no more; returns their names."""
        there = [one for one in self.records if (self.path / one.name).exists()]
        absent = [one.name for one in self.records if one not in there]
        if absent:
            self._write(there)
        return absent

    def good(self) -> list[BackupRecord]:
        return [one for one in self.records if not one.problem]

    def trim(self, keep: int) -> list[str]:
        """Deletes what is older than the newest `keep` good ones, and nothing where there are not
        so many; returns the names."""
        good = self.good()
        if len(good) <= keep:
            return []
        last = good[keep - 1].number
        surplus = [one for one in self.records if one.number < last]
        for one in surplus:
            (self.path / one.name).unlink(missing_ok=True)
        atomic_file.sync_folder(self.path)
        self._write(one for one in self.records if one.number >= last)
        return [one.name for one in surplus]

    def remove_remains(self) -> None:
        """Of runs that were killed, each as large as a backup."""
        for file in self.path.glob(".*.part"):
            if NAME.fullmatch(name := file.name[1:].rsplit(".", 2)[0]):
                atomic_file.remove_remains(self.path / name)

    def _read(self) -> list[BackupRecord]:
        try:
            content = json.loads((self.path / LIST).read_text(encoding="utf-8"))
            owner, records = str(content["collector"]), [_record(one) for one in content["backups"]]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError, KeyError) as error:
            log.warning("%s: is damaged (%s): backups are read anew", self.path / LIST, error)
            return []
        if owner != self._owner:
            raise UserError(
                "another collector's backups are there",
                self.path,
                f"give each a folder of its own (`backup.folder`), or move {LIST} away",
            )
        return sorted(records, reverse=True)

    def _write(self, records: Iterable[BackupRecord]) -> None:
        self.records = sorted(records, reverse=True)
        content = {"collector": self._owner, "backups": [one._asdict() for one in self.records]}
        text = json.dumps(content, indent=1) + "\n"
        atomic_file.write(self.path / LIST, text, atomic_file.OWNER_ALONE)
        atomic_file.sync_folder(self.path)


def _record(fields: Any) -> BackupRecord:
    name = str(fields["name"])
    if NAME.fullmatch(name) is None:  # nothing leads out of the folder
        raise ValueError(f"{name[:80]!r} is no backup's name")
    return BackupRecord(
        int(fields["number"]),
        name,
        float(fields["at"]),
        int(fields["size"]),
        str(fields["sha256"]),
        int(fields["rows"]),
        float(fields["checked_at"]),
        str(fields["problem"]),
    )


def check_private(path: Path) -> None:
    """Raises UserError for a folder that is not there, or that others may look into: a backup has
    the collector's key and the passwords' hashes. One of our own is closed to them."""
    try:
        if not path.is_dir():
            remedy = f"mount its disk, or make it as the collector's user: mkdir -m 700 {path}"
            raise UserError("is not there", path, remedy)
        stat = path.stat()
        if stat.st_mode & 0o077 and stat.st_uid == os.geteuid():
            path.chmod(PRIVATE)
            stat = path.stat()
    except OSError as error:
        raise UserError(in_words(error), path, "name another folder as `backup.folder`") from None
    if stat.st_mode & 0o077:
        remedy = "make it the collector's own with mode 700 (a mounted one with umask=077)"
        raise UserError("others may look into it", path, remedy)
