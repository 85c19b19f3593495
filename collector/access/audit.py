"""Who did what: an append-only log, each entry sealed together with the one before it.

The seal is an HMAC with a key that is not in the database: whoever can write there can neither
change an entry nor add one that fits. How many entries there are is noted beside the key, so that
the last ones cannot go unnoticed either.
"""

from __future__ import annotations

import hmac
import json
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, func, insert, select
from sqlalchemy.exc import IntegrityError

from collector.access.secret import derived
from collector.storage.tables import audit
from edge.common import atomic_file

HEAD = "audit.head"
TRIES = 50
"""For an entry's number, which a collector and the commands beside it want at the same time."""
SAME_VIEW_S = 600
"""Who looks at a room again within ten minutes is still looking at it."""


class AuditEntry(NamedTuple):
    number: int
    at: float
    who: str
    what: str
    about: str


class AuditLog:
    """One log per collector."""

    def __init__(self, engine: Engine, state: Path, key: bytes) -> None:
        self._engine = engine
        self._head = state / HEAD
        self._key = derived(key, "audit")
        self._lock = threading.Lock()
        self._viewed: dict[tuple[str, str, str], float] = {}

    def add(self, who: str, what: str, about: str = "") -> None:
        """Commits one entry."""
        with self._lock:
            for left in reversed(range(TRIES)):
                try:
                    number = self._add(who, what, about)
                    break
                except IntegrityError:  # a command beside the collector took the number meanwhile
                    if not left:
                        raise
                    time.sleep(random.uniform(0, 0.05))
            self._note(number)  # once it is there: what is noted must never be more

    def _add(self, who: str, what: str, about: str) -> int:
        with self._engine.begin() as connection:
            newest = select(audit).order_by(audit.c.number.desc()).limit(1)
            last = connection.execute(newest).first()
            number = last.number + 1 if last else 1
            entry = AuditEntry(number, time.time(), who[:64], what, about[:200])
            seal = self._seal(entry, last.hash if last else "")
            connection.execute(insert(audit).values(**entry._asdict(), hash=seal))
        return int(number)

    def viewed(self, who: str, what: str, about: str) -> None:
        """The same, once for a look that lasts."""
        now = time.monotonic()
        key = (who, what, about)
        with self._lock:
            if now - self._viewed.get(key, -SAME_VIEW_S) < SAME_VIEW_S:
                return
            self._viewed = {k: at for k, at in self._viewed.items() if now - at < SAME_VIEW_S}
            self._viewed[key] = now
        try:
            self.add(who, what, about)
        except Exception:  # it was not written down: whoever tries again must be able to
            with self._lock:
                self._viewed.pop(key, None)
            raise

    def newest(self, limit: int = 200, before: int | None = None) -> list[AuditEntry]:
        """The last entries, newest first."""
        query = select(audit).order_by(audit.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(audit.c.number < before)
        with self._engine.connect() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def wrong(self) -> Iterator[str]:
        """A sentence for each thing that shows that the log was tampered with."""
        noted = self._noted()  # before the rest, to which entries are added meanwhile
        before, number = "", 0
        with self._engine.connect() as connection:
            for row in connection.execute(select(audit).order_by(audit.c.number)):
                entry = _entry(row)
                number += 1
                if entry.number != number:
                    yield f"entry {number} is missing"
                    number = entry.number
                elif not hmac.compare_digest(self._seal(entry, before), row.hash):
                    yield f"entry {number} was changed, or was not made by this collector"
                before = row.hash
        if noted is None and number:
            yield f"{self._head} is missing: whether entries were cut off cannot be told"
        elif noted is not None and noted > number:
            yield f"entries {number + 1} to {noted} were cut off"

    def __len__(self) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(audit)).scalar_one())

    def _seal(self, entry: AuditEntry, before: str) -> str:
        content = json.dumps([before, *entry], ensure_ascii=True, separators=(",", ":"))
        return hmac.digest(self._key, content.encode(), "sha256").hex()

    def _note(self, number: int) -> None:
        atomic_file.write(self._head, f"{number}\n")

    def _noted(self) -> int | None:
        try:
            return int(self._head.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None


def _entry(row: Any) -> AuditEntry:
    return AuditEntry(row.number, row.at, row.who, row.what, row.about)
