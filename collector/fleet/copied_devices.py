"""Says that a card was copied where devices are not enrolled, and so none can be revoked."""

from __future__ import annotations

import logging

from collector.access.accounts import Room
from collector.access.audit import AuditLog
from collector.fleet.clones import CloneDetector
from edge.protocol.messages import Status

log = logging.getLogger(__name__)


class CopiedDevices:
    """Hears every status; each room is said once."""

    def __init__(self, audit_log: AuditLog) -> None:
        self._audit = audit_log
        self._detector = CloneDetector()
        self._copies: set[Room] = set()

    def update(self, status: Status) -> None:
        room = (status.site, status.room)
        if self._detector.update_status(status) and room not in self._copies:
            self._copies.add(room)
            log.error(
                "%s/%s: two devices publish for this room: give one of them another room and "
                "device in its settings",
                *room,
            )
            self._audit.add("the collector", "device copied", "/".join(room))
