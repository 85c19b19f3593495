"""Tells others of the audit log's head, so that a cut of log and note together shows as well.

Into the system's log, which may be kept on another machine, and retained to the broker.
"""

from __future__ import annotations

import json
import syslog
import time
from collections.abc import Callable

from collector.access.audit import AuditLog

EVERY_S = 3600.0


class AuditWitness:
    """`look` may be called more often than it tells."""

    def __init__(
        self, audit_log: AuditLog, name: str, publish: Callable[[str, bytes], None]
    ) -> None:
        self._log, self._publish = audit_log, publish
        self._topic = f"roommood/audit/{name}"
        self._last_report = float("-inf")

    def look(self) -> None:
        now = time.monotonic()
        if now - self._last_report < EVERY_S:
            return
        head = self._log.head()
        syslog.syslog(syslog.LOG_AUTH | syslog.LOG_INFO, f"roommood audit log head {head}")
        content = {"number": head.number, "seal": head.seal, "at": round(time.time(), 3)}
        self._publish(self._topic, json.dumps(content).encode())
        self._last_report = now
