"""A local log of what people did at the device: one JSON line each, chained by hashes.

Each line holds the SHA-256 of the one before, so a line that is changed or taken out shows. Whoever
can write the file can write it all anew; it proves order, not honesty.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
from datetime import datetime, timezone
from pathlib import Path

from edge.common.errors import UserError, unusable
from edge.protocol.messages import rfc3339

NOTHING = "0" * 64


class DeviceAuditLog:
    """Appends to one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, event: str, **details: str | float) -> None:
        """Writes one line, on the disk before it returns; raises UserError where it cannot."""
        line = {
            "at": rfc3339(datetime.now(timezone.utc)),
            "event": event,
            "user": _user(),
            **details,
            "after": self._last(),
        }
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise UserError(
                f"{error.strerror}, and what is done here must be logged",
                self._path,
                "let the agent's user write there",
            ) from None

    def broken_line(self) -> int | None:
        """The number of the first line that does not follow the one before it, from 1, or None."""
        last = NOTHING
        for number, text in enumerate(self._lines(), start=1):
            try:
                follows = json.loads(text)["after"] == last
            except (ValueError, KeyError, TypeError):
                follows = False
            if not follows:
                return number
            last = _digest(text)
        return None

    def _last(self) -> str:
        lines = self._lines()
        return _digest(lines[-1]) if lines else NOTHING

    def _lines(self) -> list[str]:
        try:
            return self._path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise unusable(error, self._path, "move it elsewhere") from None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _user() -> str:
    """Who is logged in, behind sudo too."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return str(os.getuid())
