"""The collector's database: opened, had alone, watched, and let go of."""

from __future__ import annotations

from collector.access.command_access import finish_restore
from collector.access.secret import has_key, make_folder, own_key
from collector.config import CollectorSettings
from collector.run.database_note_worker import DatabaseNoteWorker
from collector.run.database_watch import DatabaseWatch
from collector.storage.database import connect, patient
from collector.storage.database_note import DatabaseIdentity, check_file
from collector.storage.erasures import Erasures
from collector.storage.pulse import DatabasePulse
from collector.storage.sole_use import SoleUse


class OwnDatabase:
    """Between `__init__` and `end` no other collector uses it; raises UserError where one does.

    `watch` is the worker that sees to it, and `note_worker` the one by whose note the next start
    knows it again.
    """

    def __init__(self, settings: CollectorSettings) -> None:
        make_folder(settings.state)  # where the database may lie
        check_file(settings.database, settings.state)
        pulse = DatabasePulse()
        self.engine = connect(settings.database, pulse.hopeless)
        try:
            self._use = SoleUse(self.engine)
        except BaseException:
            self.engine.dispose()
            raise
        try:
            finish_restore(patient(self.engine), settings.state, alone=True)
            identity = DatabaseIdentity(self.engine, settings.state)
            identity.verify(has_key=has_key(settings.state))
            self.key = own_key(settings.state)
            identity.adopt()
            self.erasures = Erasures(self.engine, settings.state)
        except BaseException:
            self.end()
            raise
        self.watch = DatabaseWatch(self._use, self.erasures, pulse)
        self.note_worker = DatabaseNoteWorker(identity)

    def end(self) -> None:
        self._use.end()
        self.engine.dispose()
