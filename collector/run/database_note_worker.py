"""Notes every few seconds how far the database has come, for the next start to compare."""

from __future__ import annotations

from collector.storage.database_note import EVERY_S, DatabaseIdentity
from edge.common.worker import Worker

PATIENCE_S = 180.0
"""As long as the database's own watch may take, which ends waiting for a server that hangs."""


class DatabaseNoteWorker(Worker):
    """Apart from the watch: a full disk answers every question, and takes no note."""

    def __init__(self, identity: DatabaseIdentity) -> None:
        super().__init__("database note", EVERY_S, patience_s=PATIENCE_S, longest_wait_s=EVERY_S)
        self._identity = identity

    def run_once(self) -> None:
        self._identity.advance()

    def finish(self) -> None:
        self._identity.advance()
