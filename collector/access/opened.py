"""What commands work on, beside a collector or without one: database, accounts, audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from collector.config import CollectorSettings
from edge.common.privileges import become_owner
from edge.common.settings import load

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from collector.access.accounts import Accounts
    from collector.access.audit import AuditLog

BY = "the command line"


@contextmanager
def opened(settings: CollectorSettings) -> Iterator[Engine]:
    from collector.storage.database import connect

    engine = connect(settings.database)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def books(config: Path) -> Iterator[tuple[Engine, Accounts, AuditLog, CollectorSettings]]:
    from collector.access.accounts import Accounts
    from collector.access.audit import AuditLog
    from collector.access.secret import own_key

    settings = load(CollectorSettings, config)
    become_owner(settings.state)
    key = own_key(settings.state)
    with opened(settings) as engine:
        yield engine, Accounts(engine), AuditLog(engine, settings.state, key), settings
