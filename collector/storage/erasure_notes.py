"""What was erased, noted beside the collector's key as well: a database that is put back, by our
own backup or any other way, knows nothing of what was erased after it was copied.

One reader for all: a line that says nothing, or what cannot be, is never passed over in silence,
since what it erased would be back. `restore` refuses such a file; a collector that runs goes on
with the others, and says so.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge.common import atomic_file
from edge.common.errors import UserError, in_words
from edge.protocol.erasure import is_within
from edge.protocol.messages import MOST, Identity, Mood, Name

FILE = "erasures.jsonl"

LATEST_S = 7_258_118_400.0
"""2200-01-01: what is reckoned with an erasure's times stays a time."""

MOST_LINES = 3
"""That are named in one sentence."""

REMEDY = (
    f"put a whole copy back, as {FILE} beside the backups is; or delete those lines: what they "
    "had erased may be back then, so erase it again"
)


class Erasure(NamedTuple):
    """A time of a room, in seconds since 1970, or one run's windows up to a number: those that a
    wrong clock had dated ahead of their erasure."""

    site: str
    room: str
    begin: float
    end: float
    boot: str | None = None
    seq: int | None = None

    def covers(self, mood: Mood) -> bool:
        if self.boot is not None and self.seq is not None:
            return str(mood.boot) == self.boot and mood.seq <= self.seq
        return is_within(mood, self.begin, self.end)

    @property
    def is_of_room(self) -> bool:
        """Of all that there was, not of a lesson."""
        return self.begin <= 0 and self.boot is None


class UnreadableLine(NamedTuple):
    """Its number, from 1, and what is wrong with it."""

    number: int
    why: str


class NotesContent(NamedTuple):
    """Each erasure once, in order; `problem` is what keeps the file from being whole, or nothing:
    it holds no ": "."""

    erasures: list[Erasure]
    unreadable: tuple[UnreadableLine, ...] = ()

    @property
    def problem(self) -> str:
        if not self.unreadable:
            return "" if self.erasures else "no line tells of an erasure"
        some = "; ".join(f"line {one.number} ({one.why})" for one in self.unreadable[:MOST_LINES])
        more = len(self.unreadable) - MOST_LINES
        return f"{some}{f' and {more} more' if more > 0 else ''} cannot be read"


class _Line(BaseModel):
    """One line, and nothing that a database or a device would not take."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    site: Name
    room: Name
    begin: Annotated[float, Field(ge=0, le=LATEST_S)]
    end: Annotated[float, Field(ge=0, le=LATEST_S)]
    boot: Identity | None = None
    seq: Annotated[int, Field(ge=0, le=MOST)] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> _Line:
        if self.end < self.begin:
            raise ValueError("it ends before it begins")
        if (self.boot is None) != (self.seq is None):
            raise ValueError("boot and seq belong together")
        return self


def erasure_of(fields: Mapping[str, Any] | bytes) -> Erasure:
    """Of a line, or of a row; raises ValueError that says in one line what cannot be, and quotes
    nothing of it."""
    try:
        if isinstance(fields, bytes):
            line = _Line.model_validate_json(fields)
        else:
            line = _Line.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = str(first["loc"][0])[:32] if first["loc"] else ""
        where = where if where in Erasure._fields else ""
        if first["type"] == "json_invalid":
            why = "no JSON"
        elif first["type"] == "value_error":
            why = str(first["ctx"]["error"])
        else:
            why = f"'{where}' is not as it must be" if where else "it has other fields"
        raise ValueError(why) from None
    boot = None if line.boot is None else str(line.boot)
    return Erasure(line.site, line.room, line.begin, line.end, boot, line.seq)


class ErasureNotes:
    """One file, a line each; lines are added, and changed only where a wrong clock wrote them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def content(self) -> NotesContent | None:
        """None where nothing was ever noted; raises UserError where it cannot be read."""
        return read_notes(self.path) if self.path.exists() else None

    def read(self) -> list[Erasure]:
        """What can be read of it."""
        content = self.content()
        return content.erasures if content is not None else []

    def whole(self) -> list[Erasure]:
        """Raises UserError where a part of it cannot be read."""
        return whole_notes(self.path) if self.path.exists() else []

    def add(self, erasures: Iterable[Erasure]) -> None:
        """On disk when it returns; raises UserError where the disk does not take it."""
        text = "".join(json.dumps(one._asdict()) + "\n" for one in erasures)
        try:
            with self._lock():
                if self.path.exists():
                    self._append(text)
                else:  # never an empty file, nor the first half of a line
                    atomic_file.write(self.path, text, atomic_file.OWNER_ALONE)
                    atomic_file.sync_folder(self.path.parent)
        except OSError as error:
            raise UserError(
                f"cannot be written ({error.strerror})", self.path, "nothing was erased; free space"
            ) from None

    def _append(self, text: str) -> None:
        file = os.open(self.path, os.O_RDWR | os.O_APPEND)
        try:
            rest = (_end_cleanly(file) + text).encode()
            while rest:  # a disk that is nearly full takes a part, and then says why
                rest = rest[os.write(file, rest) :]
            os.fsync(file)
        finally:
            os.close(file)
        atomic_file.sync_folder(self.path.parent)

    def replace(self, corrections: Mapping[Erasure, Erasure]) -> None:
        """Others in their place, and what cannot be read as it is; raises UserError where the disk
        does not take it."""
        with self._lock():
            lines = []
            for line in _lines(self.path):
                with contextlib.suppress(ValueError):
                    one = erasure_of(line)
                    line = json.dumps(corrections.get(one, one)._asdict()).encode()  # noqa: PLW2901  # the same line
                lines.append(line + b"\n")
            try:
                atomic_file.write(self.path, b"".join(lines), atomic_file.OWNER_ALONE)
            except OSError as error:
                raise UserError(
                    f"cannot be written ({error.strerror})", self.path, "free space"
                ) from None

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """Against another process that adds to a file that is just being replaced."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)


def read_notes(path: Path) -> NotesContent:
    """A last line that a crash cut short is none: nothing had been erased yet. Raises UserError for
    a file that cannot be read."""
    erasures: dict[Erasure, None] = {}
    unreadable = []
    for number, line in enumerate(_lines(path), 1):
        try:
            erasures[erasure_of(line)] = None
        except ValueError as error:
            unreadable.append(UnreadableLine(number, str(error)))
    return NotesContent(list(erasures), tuple(unreadable))


def whole_notes(path: Path) -> list[Erasure]:
    """The same, all of it: raises UserError where a line cannot be read, or none tells of anything;
    it names the lines."""
    content = read_notes(path)
    if content.problem:
        raise UserError(content.problem, path, REMEDY)
    return content.erasures


def _lines(path: Path) -> list[bytes]:
    """Without their ends, and without a last one that has none and cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"cannot be read ({in_words(error)})", path, "what was erased is in it"
        ) from None
    *lines, last = content.split(b"\n")
    return [*lines, last] if _is_readable(last) else lines


def _is_readable(line: bytes) -> bool:
    try:
        erasure_of(line)
    except ValueError:
        return False
    return True


def _end_cleanly(file: int) -> str:
    """What has to come before a new line; what a crash left of one is taken away, since as a line
    in the middle it would look like an erasure that was damaged."""
    size = os.fstat(file).st_size
    last = os.pread(file, size, 0).rpartition(b"\n")[2]
    if not last:
        return ""
    if _is_readable(last):
        return "\n"
    os.ftruncate(file, size - len(last))
    return ""
