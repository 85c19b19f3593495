"""The local PIN: kept as a salted scrypt hash, and tried a few times only."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import StringConstraints

from edge.common import atomic_file
from edge.common.errors import in_words

log = logging.getLogger(__name__)

PinHash = Annotated[str, StringConstraints(pattern=r"^scrypt:[0-9a-f]{32}:[0-9a-f]{64}$")]

TRIES = 5
LOCKED_S = 60.0
LONGEST_S = 3600.0
FILE = "pin.json"
"""In the state folder."""

SIZE = 128
"""Of the file, bytes, whatever is in it: what is as long as before fits on a full disk too."""

SHORTEST = 6
"""Of four digits half are tried within days, however long one has to wait."""


def hash_pin(pin: str) -> str:
    """What goes into the settings."""
    salt = secrets.token_bytes(16)
    return f"scrypt:{salt.hex()}:{_derive(pin, salt).hex()}"


def _derive(pin: str, salt: bytes) -> bytes:
    # 16 MiB and some 50 ms: a stolen settings file does not give away a PIN for nothing.
    return hashlib.scrypt(pin.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)


class PinTries(NamedTuple):
    """What outlasts a restart."""

    wrong: int = 0
    """Since the last wait."""
    rounds: int = 0
    """Of waits; each is longer than the one before."""
    waits: bool = False
    """Whether nobody has tried anything since the last wait began."""


FROM_DAMAGE = PinTries(rounds=10, waits=True)
"""Of a file that cannot be understood: the longest wait."""


class Pin:
    """Checks what people type; after five wrong ones nobody gets in for a minute, after five more
    for two, and so on, up to an hour.

    `path`: where tries are written down, before they are looked at, so that no power cut makes one
    free. What was left of a wait begins anew with the device, since no clock outlasts it; on a disk
    that takes nothing no PIN opens.
    """

    def __init__(
        self,
        pin_hash: str,
        now: Callable[[], float] = time.monotonic,
        *,
        path: Path | None = None,
    ) -> None:
        _, salt, digest = pin_hash.split(":")
        self._salt, self._digest = bytes.fromhex(salt), bytes.fromhex(digest)
        self._own = hashlib.sha256(pin_hash.encode()).hexdigest()[:16]
        self._now, self._path = now, path
        self._lock = threading.Lock()
        self._locked_until = 0.0
        self._tries = self._restore()
        self._store(self._tries)  # a file that is there can be written over on a full disk too
        if self._tries.waits:
            self._wait()

    @property
    def is_locked(self) -> bool:
        return self._now() < self._locked_until

    def opens(self, attempt: str) -> bool:
        with self._lock:
            if self.is_locked:
                return False
            wrong, rounds = self._tries.wrong + 1, self._tries.rounds
            is_last = wrong >= TRIES
            tries = PinTries(0, rounds + 1, True) if is_last else PinTries(wrong, rounds)
            if not self._store(tries):
                return False
            self._tries = tries
            right = hmac.compare_digest(_derive(attempt[:64], self._salt), self._digest)
            if right:
                self._tries = PinTries()
                self._store(self._tries)
            elif is_last:
                self._wait()
            return right

    def _wait(self) -> None:
        seconds = LOCKED_S * 2.0 ** min(self._tries.rounds - 1, 10)
        self._locked_until = self._now() + min(LONGEST_S, seconds)

    def _store(self, tries: PinTries) -> bool:
        if self._path is None:
            return True
        content = json.dumps({"pin": self._own, **tries._asdict()}).ljust(SIZE)
        try:
            atomic_file.write(self._path, content)
        except OSError as error:
            try:
                atomic_file.overwrite(self._path, content)
            except OSError:
                log.error(
                    "%s: cannot be written (%s): no PIN opens; check the disk",
                    self._path,
                    in_words(error),
                )
                return False
        return True

    def _restore(self) -> PinTries:
        try:
            if self._path is None:
                return PinTries()
            content = json.loads(self._path.read_text(encoding="utf-8"))
            own = content.pop("pin")
            tries = PinTries(**{name: content[name] for name in PinTries._fields})
            if not (
                type(tries.wrong) is type(tries.rounds) is int
                and type(tries.waits) is bool
                and 0 <= tries.wrong < TRIES
                and tries.rounds >= tries.waits
            ):
                raise ValueError("not what was written")
        except FileNotFoundError:
            return PinTries()
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            log.error("%s: cannot be read (%s): the PIN waits for an hour", self._path, error)
            return FROM_DAMAGE
        return tries if own == self._own else PinTries()  # of the PIN before this one
