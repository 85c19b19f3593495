"""Makes the alerts' parts from the settings, for the collector and for the test mail."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from sqlalchemy import Engine

from collector.alert_settings import AlertSettings, EmailSettings
from collector.alerts.letters import Letters
from collector.alerts.post import compose, recipients
from collector.alerts.sight import Sight
from collector.alerts.smtp import connection, send
from collector.alerts.store import new_name
from collector.alerts.worker import AlertWorker, Events
from collector.config import CollectorSettings
from collector.fleet.registry import Device
from collector.live.rooms import Rooms
from collector.run.backup_watch import backup_state
from collector.run.expiry import own_certificates
from edge.common.errors import UserError


def _letters(settings: CollectorSettings, alerts: AlertSettings, url: Callable[[], str]) -> Letters:
    return Letters(
        alerts.language, settings.school.region, _zone(settings, alerts), settings.title, url
    )


def _zone(settings: CollectorSettings, alerts: AlertSettings) -> str:
    return alerts.timezone or settings.school.timezone


def alert_workers(
    settings: CollectorSettings,
    engine: Engine,
    rooms: Rooms,
    devices: Callable[[], Iterable[Device]] | None,
    is_connected: Callable[[], bool],
    problems: Callable[[], Mapping[str, str]],
    events: Events,
    url: Callable[[], str],
) -> Iterator[AlertWorker]:
    """One, or none where the settings want nobody told."""
    if settings.alerts is None:
        return
    alerts = settings.alerts
    ends = partial(own_certificates, settings)
    sight = Sight(
        *(rooms, devices, is_connected, problems, ends, settings.state, alerts.without),
        partial(_backup_problem, settings),
    )
    letters = _letters(settings, alerts, url)
    yield AlertWorker(alerts, engine, sight, letters, _zone(settings, alerts), events)


def _backup_problem(settings: CollectorSettings) -> str:
    state = backup_state(settings)
    return state.problem if state else ""


def email_of(settings: CollectorSettings) -> tuple[AlertSettings, EmailSettings]:
    """Raises UserError where the settings have none."""
    if settings.alerts is None or settings.alerts.email is None:
        raise UserError(
            "no mail server is set", "alerts.email", "add it to the settings: docs/alerts.md"
        )
    return settings.alerts, settings.alerts.email


def send_test(settings: CollectorSettings) -> int:
    """A test mail to everybody; returns to how many. Raises Problem where it is not accepted."""
    alerts, email = email_of(settings)
    letters = _letters(settings, alerts, lambda: settings.web.url or "-")
    count = 0
    with connection(email) as server:
        for audience in ("", *email.sites):
            to = recipients(email, audience)
            mail = compose(
                email, audience, letters.test(), new_name(), alerts.language, time.time()
            )
            refusals = send(server, mail, to)
            if refusals:
                raise UserError(
                    f"the mail server does not accept {refusals} of {len(to)} recipients",
                    f"alerts.email.sites.{audience}" if audience else "alerts.email.to",
                    "correct them",
                )
            count += len(to)
    return count
