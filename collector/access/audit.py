"""Who did what: an append-only log, each entry sealed together with the one before it.

The seal is an HMAC with a key that is not in the database: whoever can write there can neither
change an entry nor add one that fits. How far the log has come is noted beside the key, and never
lowered, so that entries that were cut off leave a gap for ever (audit_note.py); its head is also
told to others every hour (audit_witness.py). Old entries go when an entry says which, with the seal
of the last of them, on which the next one is sealed.
"""

from __future__ import annotations

import hmac
import json
import random
import re
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from collector.access.audit_note import AuditNote, Head
from collector.access.secret import derive_key
from collector.storage.tables import audit, settings
from edge.common.text import printable

TRIES = 50
"""For an entry's number, which a collector and the commands beside it want at the same time."""
SAME_VIEW_S = 600
"""Who looks at a room again within ten minutes is still looking at it."""
FEW = 20
"""Entries of one kind of refusal by one in ten minutes."""
MOST_DENIALS = 1000
"""Kinds of refusal that are counted apart at a time."""

PRUNING, NOTE_LOSS = "audit log pruned", "audit note lost"
PRUNED_KEY = "audit.pruned"
PRUNED_ABOUT = re.compile(r"entries up to (\d+), sealed ([0-9a-f]{64})")


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
        self._note = AuditNote(state)
        self._key = derive_key(key, "audit")
        self._lock = threading.Lock()
        self._last_views: dict[tuple[str, str, str], float] = {}
        self._denials: dict[tuple[str, str], tuple[float, int]] = {}

    def add(self, who: str, what: str, about: str = "") -> None:
        """Commits one entry; what would not print, such as a line's end, is written in words."""
        with self._lock, self._note.alone():
            note = self._note.read()
            if note is None and len(self):
                self._append(
                    None, "the collector", NOTE_LOSS, "whether entries were cut off is open"
                )
            self._append(note, printable(who)[:64], what, printable(about)[:200])

    def _append(self, note: Head | None, who: str, what: str, about: str) -> None:
        for left in reversed(range(TRIES)):
            try:
                with self._engine.begin() as connection:
                    head = self._insert(connection, note, who, what, about)
                break
            except IntegrityError:  # somebody who does not know of the lock took the number
                if not left:
                    raise
                time.sleep(random.uniform(0, 0.05))
        self._note.raise_to(head)  # once it is there: what is noted must never be more

    def _insert(
        self, connection: Connection, note: Head | None, who: str, what: str, about: str
    ) -> Head:
        last = connection.execute(_newest(1)).first()
        last_number = last.number if last else 0
        number = max(last_number, note.number if note else 0) + 1
        entry = AuditEntry(number, time.time(), who, what, about)
        seal = self._seal(entry, last.hash if last else "")
        connection.execute(insert(audit).values(**entry._asdict(), hash=seal))
        return Head(number, seal)

    def count_denial(self, who: str, what: str, about: str) -> None:
        """Refusals, of which anybody can cause any number: the first few are entries, and how many
        more there were in ten minutes is another."""
        now = time.monotonic()
        with self._lock:
            key = (who, what)
            if key not in self._denials and len(self._denials) >= MOST_DENIALS:
                key = ("many", what)
            since, count = self._denials.get(key, (-SAME_VIEW_S, 0))
            if now - since >= SAME_VIEW_S:
                since, over, count = now, count - FEW, 0
            else:
                over = 0
            self._denials[key] = (since, count + 1)
            many = count >= FEW
        if over > 0:
            self.add(key[0], what, f"{over} more of these")
        if many:
            return
        self.add(who, what, about)

    def add_denials(self) -> None:
        """Writes down what was counted, and is over."""
        now = time.monotonic()
        with self._lock:
            over = [k for k, (since, _) in self._denials.items() if now - since >= SAME_VIEW_S]
            counts = [(key, self._denials.pop(key)[1]) for key in over]
        for (who, what), count in counts:
            if count > FEW:
                self.add(who, what, f"{count - FEW} more of these")

    def prune(self, before: float) -> int:
        """Lets entries go that are older than a moment, and says so in one; returns how many."""
        with self._lock, self._note.alone(), self._engine.begin() as connection:
            query = select(func.min(audit.c.number)).where(audit.c.at >= before)
            first = connection.execute(query).scalar()
            if first is None:
                return 0
            older = select(audit).where(audit.c.number < first).order_by(audit.c.number.desc())
            last = connection.execute(older.limit(1)).first()
            if last is None:
                return 0
            about = f"entries up to {last.number}, sealed {last.hash}"
            head = self._insert(connection, self._note.read(), "the collector", PRUNING, about)
            connection.execute(delete(settings).where(settings.c.key == PRUNED_KEY))
            connection.execute(insert(settings).values(key=PRUNED_KEY, value=last.number))
            count = connection.execute(delete(audit).where(audit.c.number <= last.number)).rowcount
        self._note.raise_to(head)
        return int(count)

    def head(self) -> Head:
        """The newest entry, for whoever witnesses it."""
        with self._engine.connect() as connection:
            last = connection.execute(_newest(1)).first()
        return Head(last.number, last.hash) if last else Head(0)

    def add_view(self, who: str, what: str, about: str) -> None:
        """The same, once for a look that lasts."""
        now = time.monotonic()
        key = (who, what, about)
        with self._lock:
            if now - self._last_views.get(key, -SAME_VIEW_S) < SAME_VIEW_S:
                return
            self._last_views = {
                k: at for k, at in self._last_views.items() if now - at < SAME_VIEW_S
            }
            self._last_views[key] = now
        try:
            self.add(who, what, about)
        except Exception:  # it was not written down: whoever tries again must be able to
            with self._lock:
                self._last_views.pop(key, None)
            raise

    def newest(self, limit: int = 200, before: int | None = None) -> list[AuditEntry]:
        """The last entries, newest first."""
        query = select(audit).order_by(audit.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(audit.c.number < before)
        with self._engine.connect() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def between(self, begin: float, end: float) -> list[AuditEntry]:
        """Those of a time, oldest first."""
        query = select(audit).where(audit.c.at >= begin, audit.c.at < end).order_by(audit.c.number)
        with self._engine.connect() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def wrong(self, witness_heads: Iterable[Head] = ()) -> Iterator[str]:
        """A sentence for each thing that shows that the log was tampered with.

        `witness_heads` are heads that somebody else wrote down.
        """
        note = self._note.read()  # before the rest, to which entries are added meanwhile
        with self._engine.connect() as connection:
            rows = connection.execute(select(audit).order_by(audit.c.number)).all()
        prune_head = _pruning_head(rows)
        before, number = prune_head.seal, prune_head.number
        seals: dict[int, str] = {}
        for row in rows:
            if row.number <= prune_head.number:  # those that were let go went in one transaction
                yield f"entry {row.number} was added where there is none any more"
                continue
            entry = _entry(row)
            if entry.number != number + 1:
                yield _missing(number + 1, entry.number - 1)
            if not self._is_sealed(entry, before, row.hash):
                yield f"entry {entry.number} was changed, or was not made by this collector"
            if entry.what == NOTE_LOSS:
                yield f"before entry {entry.number} the note was lost: cuts there cannot be told"
            number, before = entry.number, row.hash
            seals[number] = row.hash
        if note is None and number:
            yield f"{self._note.path} is missing: whether entries were cut off cannot be told"
        heads = [*witness_heads] if note is None else [note, *witness_heads]
        for head in heads:
            if head.number > number:
                yield f"entries {number + 1} to {head.number} were cut off"
            elif head.seal and seals.get(head.number, head.seal) != head.seal:
                yield f"entry {head.number} is another than the one that was witnessed"

    def __len__(self) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(audit)).scalar_one())

    def _is_sealed(self, entry: AuditEntry, before: str, seal: Any) -> bool:
        try:
            return hmac.compare_digest(self._seal(entry, before), seal)
        except TypeError:  # bytes where a text was
            return False

    def _seal(self, entry: AuditEntry, before: str) -> str:
        content = json.dumps([before, *entry], ensure_ascii=True, separators=(",", ":"))
        return hmac.digest(self._key, content.encode(), "sha256").hex()


def _newest(limit: int) -> Any:
    return select(audit).order_by(audit.c.number.desc()).limit(limit)


def _pruning_head(rows: Iterable[Any]) -> Head:
    """Up to where entries were let go, as the newest entry about it says. Its own seal is checked
    with all the others."""
    matches = [PRUNED_ABOUT.fullmatch(row.about) for row in rows if row.what == PRUNING]
    last = matches[-1] if matches else None
    return Head(int(last.group(1)), last.group(2)) if last else Head(0)


def _missing(first: int, last: int) -> str:
    if first == last:
        return f"entry {first} is missing"
    return f"entries {first} to {last} are missing"


def _entry(row: Any) -> AuditEntry:
    return AuditEntry(row.number, row.at, row.who, row.what, row.about)
