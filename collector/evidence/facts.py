"""What the collector knows of a time, for machines: no count of a face, no secret, no picture."""

from __future__ import annotations

import json
import platform
import time
from collections import Counter
from importlib.metadata import version
from typing import Any, NamedTuple

from sqlalchemy import Engine, case, func, select

from collector.access.audit import AuditEntry, AuditLog
from collector.config import CollectorSettings
from collector.evidence.device_facts import device_facts, update_facts
from collector.fleet.attestations import AttestationCatalog, KnownAttestation
from collector.retention.runs import current_day, days_in
from collector.retention.worker import DAY_S, due_windows
from collector.storage.tables import lessons, moods
from edge.common.settings import show
from edge.protocol.messages import rfc3339_of

UNSEEN = frozenset(
    {
        *("room viewed", "room read", "report viewed", "report read", "sign-in", "refused"),
        *("sign-in refused", "link refused", "code refused", "wrong code", "slowed down"),
        *("copy refused", "device asks", "certificate renewed", "certificate in use"),
        *("pause", "resume", "stop_today", "retention ran", "audit log pruned", "lesson described"),
    }
)
"""Entries that change nothing but what was looked at or is said elsewhere: they are counted."""


class Period(NamedTuple):
    """A time, in seconds since 1970; from its first moment to before its end."""

    begin: float
    end: float


class Facts(NamedTuple):
    """All of it; `attestations` with their files."""

    documents: dict[str, Any]
    attestations: list[KnownAttestation]
    settings: str


def gather(
    settings: CollectorSettings, engine: Engine, audit_log: AuditLog, begin: float, end: float
) -> Facts:
    """Asks database, broker and settings; a broker that does not answer is said in it."""
    period = Period(begin, end)
    entries = audit_log.between(*period)
    measurements = measured_facts(engine, period)
    sites = {room["site"] for room in measurements["rooms"]} | set(settings.public)
    sites |= {settings.fleet.site} if settings.fleet else set()
    catalog = AttestationCatalog(settings, engine)
    attestations: list[KnownAttestation] = []
    problems: list[str] = []
    for site in sorted(sites):
        own, faults = catalog.of(site)
        attestations += own
        problems += faults
    documents = {
        "about": {
            "schema": "roommood.evidence/1",
            "made": rfc3339_of(time.time()),
            "from": rfc3339_of(period.begin) if period.begin else None,
            "until": rfc3339_of(period.end),
            "sites": sorted(sites),
            "roommood": version("roommood"),
            "python": platform.python_version(),
            "database": engine.dialect.name,
        },
        "measured": measurements,
        "attestations": {
            "attestations": [_attestation(one) for one in attestations],
            "not_usable": problems,
        },
        "retention": retention_facts(settings, engine, entries, sorted(sites), period),
        "audit": audit_facts(audit_log, entries),
        "changes": [_entry(one) for one in entries if one.what not in UNSEEN],
        "devices": device_facts(settings, engine),
        "updates": update_facts(settings, engine),
    }
    return Facts(documents, attestations, show(settings))


def as_json(document: Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode()


def measured_facts(engine: Engine, period: Period) -> dict[str, Any]:
    """When rooms were measured, and how: of readings that are still stored."""
    inside = (moods.c.start >= period.begin, moods.c.start < period.end)
    shows_expressions = moods.c.withheld.is_(None)
    counts_faces = moods.c.withheld == "headcount_only"

    def sum_of(condition: Any) -> Any:
        return func.sum(case((condition, moods.c.windows), else_=0))

    place = (moods.c.site, moods.c.room)
    rooms = (
        select(
            *place,
            func.min(moods.c.start).label("first"),
            func.max(moods.c.start + moods.c.seconds).label("last"),
            func.sum(moods.c.windows).label("readings"),
            sum_of(shows_expressions).label("expressions"),
            sum_of(counts_faces).label("faces"),
        )
        .where(*inside)
        .group_by(*place)
        .order_by(*place)
    )
    models = (
        select(*place, moods.c.model, func.min(moods.c.start), func.max(moods.c.start))
        .where(*inside, moods.c.model != "0" * 12)
        .group_by(*place, moods.c.model)
        .order_by(*place, func.min(moods.c.start))
    )
    lesson_rows = (
        select(lessons.c.site, lessons.c.room, func.count(), func.min(lessons.c.start))
        .where(lessons.c.start >= period.begin, lessons.c.start < period.end)
        .group_by(lessons.c.site, lessons.c.room)
        .order_by(lessons.c.site, lessons.c.room)
    )
    with engine.connect() as connection:
        return {
            "rooms": [
                {
                    "site": row.site,
                    "room": row.room,
                    "first": rfc3339_of(row.first),
                    "last": rfc3339_of(row.last),
                    "readings": int(row.readings),
                    "with_expressions": int(row.expressions),
                    "faces_only": int(row.faces),
                    "hidden": int(row.readings - row.expressions - row.faces),
                }
                for row in connection.execute(rooms)
            ],
            "models": [
                {
                    "site": s,
                    "room": r,
                    "model": model,
                    "first": rfc3339_of(first),
                    "last": rfc3339_of(last),
                }
                for s, r, model, first, last in connection.execute(models)
            ],
            "lessons": [
                {"site": s, "room": r, "lessons": number, "first": rfc3339_of(first)}
                for s, r, number, first in connection.execute(lesson_rows)
            ],
        }


def retention_facts(
    settings: CollectorSettings,
    engine: Engine,
    entries: list[AuditEntry],
    sites: list[str],
    period: Period,
) -> dict[str, Any]:
    """How long is set, what the rounds deleted, and what is stored past its time."""
    days = days_in(entries)
    today = current_day(engine)
    if (
        today is not None
        and rfc3339_of(period.begin)[:10] <= today.day <= rfc3339_of(period.end)[:10]
    ):
        days.append(today)
    past = 0
    with engine.connect() as connection:
        for site in sites:
            # A day more than is set: rounds come every ten minutes.
            since = time.time() - (settings.retention_of(site).windows_days + 1) * DAY_S
            for where in due_windows(engine, site, since):
                query = select(func.count()).select_from(moods).where(*where)
                past += int(connection.execute(query).scalar_one())
    return {
        "sites": {site: settings.retention_of(site).model_dump() for site in sites},
        "audit_days": settings.audit_days,
        "days": [day._asdict() for day in days],
        "stored_past_its_time": past,
        "erasures": sum("erased" in one.what for one in entries),
    }


def audit_facts(audit_log: AuditLog, entries: list[AuditEntry]) -> dict[str, Any]:
    """Whether the whole log verifies, and how often what was written in this time."""
    head = audit_log.head()
    return {
        "entries": len(audit_log),
        "wrong": list(audit_log.wrong()),
        "head": {"number": head.number, "seal": head.seal},
        "in_this_time": dict(sorted(Counter(one.what for one in entries).items())),
    }


def _entry(entry: AuditEntry) -> dict[str, Any]:
    return entry._asdict() | {"at": rfc3339_of(entry.at)}


def _attestation(one: KnownAttestation) -> dict[str, Any]:
    return {
        "source": one.source,
        "update_state": one.stage,
        "signature": "of the site's key",
        **one.attestation.model_dump(mode="json"),
    }
