"""Values that are kept with the data, as they are read: one that somebody changed is none."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from collector.storage.tables import settings

log = logging.getLogger(__name__)

NUMBER = (int, float)


def read_setting(
    connection: Connection,
    key: str,
    fields: Mapping[str, type | tuple[type, ...]],
    *,
    for_update: bool = False,
) -> dict[str, Any] | None:
    """None where there is none, or none that has these fields, of these types; with `for_update`
    nobody else changes it before the transaction ends."""
    query = select(settings.c.value).where(settings.c.key == key)
    value = connection.execute(query.with_for_update() if for_update else query).scalar()
    if value is None:
        return None
    has_fields = isinstance(value, dict) and value.keys() == fields.keys()
    if has_fields and all(isinstance(value[name], kind) for name, kind in fields.items()):
        return dict(value)
    log.error("database: setting '%s' cannot be read and counts as none", key)
    return None
