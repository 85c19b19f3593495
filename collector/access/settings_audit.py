"""A change of the settings is noticed at the next start, and goes into the audit log."""

from __future__ import annotations

import hmac
import json
from typing import Any

from sqlalchemy import Engine, delete, insert, select

from collector.access.audit import AuditLog
from collector.access.secret import derive_key
from collector.config import CollectorSettings
from collector.storage.tables import settings as table

KEY = "settings"


def audit_settings(
    engine: Engine, audit: AuditLog, settings: CollectorSettings, key: bytes
) -> None:
    """Names the settings that changed; their values may be secrets, so only seals are kept."""
    now = _seals(settings.model_dump(mode="python"), derive_key(key, "settings"))
    with engine.begin() as connection:
        before = connection.execute(select(table.c.value).where(table.c.key == KEY)).scalar()
        if before == now:
            return
        connection.execute(delete(table).where(table.c.key == KEY))
        connection.execute(insert(table).values(key=KEY, value=now))
    if before is not None:
        names = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
        audit.add("the collector", "settings changed", ", ".join(names))


def _seals(values: dict[str, Any], secret: bytes, prefix: str = "") -> dict[str, str]:
    seals: dict[str, str] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            seals |= _seals(value, secret, f"{name}.")
        else:
            text = json.dumps(_reveal(value), default=str, sort_keys=True)
            seals[name] = hmac.digest(secret, text.encode(), "sha256").hex()[:16]
    return seals


def _reveal(value: Any) -> Any:
    """Secrets as they are, for the seal."""
    if hasattr(value, "get_secret_value"):
        return value.get_secret_value()
    if isinstance(value, dict):
        return {key: _reveal(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_reveal(one) for one in value]
    return value
