from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.alert_settings import AlertSettings
from collector.alerts.incidents import Key, Sighting
from collector.alerts.letters import Letters
from collector.alerts.worker import AlertWorker
from collector.integrations.webhook_receiver import target
from collector.integrations.webhooks import Webhooks
from collector.storage.database import connect
from edge.common.errors import Problem
from tests.collector.integrations.test_integrations import SECRET
from tests.mail_server import MailServer

MINUTE = 60.0
NOON = 1_773_140_400.0
"""2026-03-10, 12:00 in Berlin."""


class Wrong:
    """What is wrong, as a test says; in place of looking at devices, which has tests of its own."""

    def __init__(self) -> None:
        self.now: dict[Key, str] = {}
        self.more: dict[str, Any] = {}

    def look(self) -> Sighting:
        return Sighting(dict(self.now), frozenset(self.now), **self.more)

    def add(self, cause: str, *rooms: str, site: str = "school", about: str = "") -> None:
        self.now |= {Key(cause, site, room): about for room in rooms}

    def clear(self) -> None:
        self.now.clear()


class Alerts:
    """An alert worker whose time a test tells; `restart` makes it anew on the same database."""

    def __init__(self, folder: Path, server: MailServer) -> None:
        self.folder, self.server, self.wrong = folder, server, Wrong()
        self.engine = connect(f"sqlite:///{folder}/c.sqlite")
        self.settings: dict[str, Any] = {}
        self.at = NOON
        self.restart()

    def restart(self, **settings: Any) -> None:
        email = {"email": self.server.settings()}
        self.settings = email | self.settings | settings
        alert_settings = AlertSettings.model_validate(self.settings)
        letters = Letters(
            alert_settings.language,
            "DE",
            "Europe/Berlin",
            lambda _site, room: {"r7": "Optics\r\nBcc: all@school.example"}.get(room, room),
            lambda: "https://mood.school.example",
        )
        hooks = Webhooks(
            self.engine,
            [target("http://127.0.0.1:1/", SECRET, ["alert_began", "alert_ended"])],
        )
        self.worker = AlertWorker(
            alert_settings,
            self.engine,
            self.wrong,  # type: ignore[arg-type]  # looks as Sight does
            letters,
            "Europe/Berlin",
            hooks.rows,
        )

    @property
    def problem(self) -> Problem | None:
        """What health would say of the mail server."""
        return self.worker.mail_problem

    def minutes(self, count: float, step: float = 1.0) -> None:
        """Turns, one a minute."""
        end = self.at + count * MINUTE
        while self.at < end:
            self.at = min(end, self.at + step * MINUTE)
            self.worker.round(self.at)


@pytest.fixture
def mail_server(tmp_path: Path) -> Iterator[MailServer]:
    server = MailServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def alerts(tmp_path: Path, mail_server: MailServer) -> Iterator[Alerts]:
    one = Alerts(tmp_path, mail_server)
    yield one
    one.engine.dispose()
