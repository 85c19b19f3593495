"""The collector's database: opened, had alone, watched, and let go of."""

from __future__ import annotations

import logging

from collector.access.command_access import finish_restore
from collector.access.secret import has_key, make_folder, own_key
from collector.config import CollectorSettings
from collector.run.database_note_worker import DatabaseNoteWorker
from collector.run.database_watch import DatabaseWatch
from collector.storage.database import connect, patient
from collector.storage.database_note import DatabaseIdentity, check_file
from collector.storage.erasures import Erasures
from collector.storage.page_check import PageCheck, watch_damage
from collector.storage.pulse import DatabasePulse
from collector.storage.sole_use import SoleUse
from edge.common.errors import UserError
from edge.common.worker import Worker, first_line

log = logging.getLogger(__name__)


class OwnDatabase:
    """Between `__init__` and `end` no other collector uses it; raises UserError where one does, and
    for a database that is not the right one or damaged.

    `watch` is the worker that sees to it, and `note_worker` the one by whose note the next start
    knows it again.
    """

    def __init__(self, settings: CollectorSettings) -> None:
        make_folder(settings.state)  # where the database may lie
        check_file(settings.database, settings.state)
        self.pulse = pulse = DatabasePulse()
        self._page_check = PageCheck(settings.database, settings.state, pulse)
        self._page_check.at_start()
        self._identity: DatabaseIdentity | None = None
        self.engine = connect(settings.database, pulse.hopeless)
        watch_damage(self.engine, pulse)
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
            self._identity = identity
        except BaseException:
            self.end()
            raise
        self.watch = DatabaseWatch(self._use, self.erasures, pulse)
        self.note_worker = DatabaseNoteWorker(identity)

    @property
    def workers(self) -> list[Worker]:
        more = [self._page_check] if self._page_check.is_due else []
        return [self.watch, self.note_worker, *more]

    def end(self) -> None:
        """When nobody uses it any more."""
        if self._identity is not None and not self._page_check.is_due and not self.pulse.damage:
            try:
                self._identity.end()
            except (OSError, UserError) as error:  # the next start looks through it then
                log.warning("database note: %s", first_line(error))
        self._use.end()
        self.engine.dispose()
