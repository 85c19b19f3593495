"""Calendars and timetables: files, or addresses that are fetched, with the last good copy.

Such an address often holds a secret, so messages and settings show its host alone. What is fetched
takes the copy's place only once it has been read to the end.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from pydantic import BeforeValidator, SecretStr, ValidationInfo

from edge.common.address import MASK, mask_path, split
from edge.common.atomic_file import OWNER_ALONE, write
from edge.common.broker import from_folder
from edge.common.download import NOT_MODIFIED, Download, download
from edge.common.errors import Problem, SettingError, UserError
from edge.common.worker import Worker

log = logging.getLogger(__name__)

EVERY_S = 900.0
"""Between looks; schools change timetables by the day."""

PATIENCE_S = 300.0

SLIP = re.compile(r"\s*(?:https?|webcal)s?\s*[:;/]", re.IGNORECASE)
"""How an address begins that somebody mistyped."""

COPIES = "calendars"
"""Of the state folder: where the last good copies are."""

Check = Callable[[bytes], object]
"""Reads a content to the end, and raises UserError where it cannot."""


class WebCalendar(SecretStr):
    """An https address; as text it shows its host alone."""

    def __str__(self) -> str:
        address = self.get_secret_value()
        # An `@` in the path, as that of a person's calendar, ends no password before a name.
        place = re.match(r"https://((?:[\w-]+\.)+[\w-]+(?::\d+)?)[/?#]", address)
        return f"https://{place[1]}/{MASK}" if place else mask_path(address)


def _place(value: object, info: ValidationInfo) -> object:
    """An https address, as WebCalendar; anything else as a path from the settings' folder."""
    if isinstance(value, str) and "://" not in value and SLIP.match(value):
        # Not taken for a path: paths are shown whole, and an address is often a secret.
        raise SettingError("an address without ://", "write it as https://HOST/…")
    if not isinstance(value, str) or "://" not in value:
        return from_folder(Path(value), info) if isinstance(value, str | Path) else value
    scheme, _, rest = value.strip().partition("://")
    if scheme.lower() == "webcal":
        scheme = "https"
    parts = split(f"https://{rest}")
    if scheme.lower() != "https" or parts is None:
        raise SettingError(
            f"{scheme}:// is not encrypted, or no calendar", "write a path, or an https address"
        )
    calendar = WebCalendar(f"https://{rest}")
    try:
        urlsplit(f"https://{rest}")
    except ValueError:  # brackets around what is no IPv6 address; not repeated
        raise SettingError("no address", "put IPv6 addresses alone in brackets") from None
    host = parts.rest.partition("/")[0]
    if not host or any(letter.isspace() for letter in rest):
        raise SettingError("no address", "write it as in https://calendar.example/lessons.ics")
    return calendar


CalendarPlace: TypeAlias = Annotated[WebCalendar | Path, BeforeValidator(_place)]
"""In settings: a path, or an https address; webcal means the same."""


NO_LESSON, WITH_LESSONS = "contains no lesson", "export it again, with the lessons"
"""Of a timetable or calendar that can be read, and its remedy."""


class FileSource:
    """A file that somebody replaces when it changes."""

    def __init__(self, path: Path, key: str) -> None:
        self._path, self._key = path, key
        self.where = str(path)

    def version(self) -> object:
        """Another value after each change; None while there is nothing."""
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def content(self) -> bytes:
        """Raises UserError where it cannot be read."""
        try:
            return self._path.read_bytes()
        except OSError as error:
            raise UserError(
                f"cannot be read ({error.strerror})", self._path, f"check '{self._key}'"
            ) from None

    @property
    def name(self) -> str:
        """Its end says what it is, where it says so."""
        return self._path.name


class WebSource:
    """An address; `fetch` asks it, and what it gave last is there until it gives something good.

    Where `keeps` is False nothing is written: for a command that only looks.
    """

    def __init__(self, address: WebCalendar, folder: Path, *, keeps: bool = True) -> None:
        self._address, self._keeps = address.get_secret_value(), keeps
        self.where = str(address)
        self.name = self._address.partition("?")[0].rpartition("/")[2]
        self.problem: Problem | None = None
        """Why the last fetch failed."""
        digest = hashlib.sha256(self._address.encode()).hexdigest()[:16]
        self.copy, self._notes = folder / digest, folder / f"{digest}.json"
        self.fetch_time: datetime | None = None
        self._copy: Download | None = self._read_copy()
        self._number = 0

    def version(self) -> object:
        return None if self._copy is None else self._number

    def content(self) -> bytes:
        """The last good copy; raises UserError before there is one."""
        if self._copy is None:
            raise UserError("was not fetched yet", self.where, "the next try comes by itself")
        return self._copy.content

    def fetch(self, check: Check) -> None:
        """Asks once; raises Problem where nothing good comes, and leaves the copy as it was."""
        try:
            fresh = download(self._address, self.where, self._copy)
            if fresh is not NOT_MODIFIED:
                check(fresh.content)
        except Problem as problem:
            self.problem = problem
            raise
        self.problem = None
        self.fetch_time = datetime.now(timezone.utc)
        before, self._copy = self._copy, fresh or self._copy
        if fresh is not NOT_MODIFIED and (before is None or fresh.content != before.content):
            self._number += 1  # after the content: who sees the number finds it there
        self._keep()

    def look(self, check: Check) -> tuple[Problem | None, str]:
        """Asks once, for a command: what is wrong, and a sentence that says what counts then."""
        try:
            self.fetch(check)
        except Problem as problem:
            if self._copy is None:
                return problem, f"{problem}; there is no copy of earlier"
            since = (
                f"{self.fetch_time:%Y-%m-%d %H:%M} UTC" if self.fetch_time else "an earlier start"
            )
            return problem, f"{problem}; the copy of {since} is used"
        return None, f"{self.where}: ok"

    def _read_copy(self) -> Download | None:
        """What an earlier start fetched; notes that cannot be read cost one download."""
        try:
            content = self.copy.read_bytes()
        except OSError:
            return None
        try:
            notes = json.loads(self._notes.read_text(encoding="utf-8"))
            self.fetch_time = datetime.fromisoformat(notes["fetched"])
            if notes["sha256"] == hashlib.sha256(content).hexdigest():
                return Download(content, str(notes["etag"]), str(notes["modified"]))
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return Download(content, "", "")

    def _keep(self) -> None:
        if not self._keeps or self._copy is None or self.fetch_time is None:
            return
        digest = hashlib.sha256(self._copy.content).hexdigest()
        notes = {"etag": self._copy.etag, "modified": self._copy.modified, "sha256": digest}
        try:
            write(self.copy, self._copy.content, OWNER_ALONE)
            write(
                self._notes,
                json.dumps({**notes, "fetched": self.fetch_time.isoformat(), "from": self.where}),
                OWNER_ALONE,
            )
        except OSError as error:  # what was fetched counts all the same, until the next start
            log.error("%s: its copy cannot be kept: %s", self.where, error.strerror)


Source: TypeAlias = FileSource | WebSource


def source(place: WebCalendar | Path, key: str, folder: Path, *, keeps: bool = True) -> Source:
    """Of a setting, whose key is named in messages; copies are in `folder`."""
    if isinstance(place, WebCalendar):
        return WebSource(place, folder, keeps=keeps)
    return FileSource(place, key)


class CalendarFetcher(Worker):
    """Asks each address now and then, and soon after a failure, more seldom each time."""

    def __init__(self, sources: Iterable[tuple[WebSource, Check]]) -> None:
        super().__init__(
            "calendars",
            EVERY_S,
            patience_s=PATIENCE_S,
            longest_wait_s=EVERY_S,
            waits_for_others=True,
        )
        self._sources = list(sources)

    def run_once(self) -> None:
        failures = []
        for one, check in self._sources:
            try:
                one.fetch(check)
            except Problem as problem:
                failures.append(problem)
        if failures:
            raise failures[0]
