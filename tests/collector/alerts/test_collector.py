"""A whole collector that tells of its broker, and of a database that takes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from tests.collector.alerts.conftest import Alerts
from tests.collector.school import School
from tests.conftest import Mosquitto
from tests.free import wait
from tests.mail_server import MailServer


def test_a_broker_that_is_gone_and_back_is_told_by_mail(
    tmp_path: Path,
    mosquitto: Mosquitto,
    mail_server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("collector.alerts.worker.AlertWorker.__init__.__defaults__", (0.2,))
    alerts = {"email": mail_server.settings(), "after_minutes": 0, "language": "de"}
    with School(tmp_path, mosquitto.port, alerts=alerts) as school:
        wait(lambda: school.service.ingest.is_connected)
        mail_server.mails.clear()
        mosquitto.stop()
        wait(lambda: bool(mail_server.mails))
        assert mail_server.subjects[0] == "roommood: Server: Broker nicht erreichbar"
        mail_server.stop()
        mosquitto.start()
        wait(lambda: "mail server" in httpx.get(f"{school.service.url}/healthz").text)
        workers = httpx.get(f"{school.service.url}/healthz").json()["workers"]
        assert "nothing accepts connections there" in workers["alerts"]
    mail_server.start()
    with School(tmp_path, mosquitto.port, alerts=alerts):
        wait(lambda: len(mail_server.mails) > 1)
        assert mail_server.subjects[1].startswith("roommood: Behoben: Server: Broker")


def test_a_database_that_takes_nothing_is_told_without_it(
    alerts: Alerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_full = True

    def fail(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if is_full and statement.startswith(("INSERT", "UPDATE", "DELETE")):
            raise OperationalError(statement, {}, Exception("database or disk is full"))

    event.listen(alerts.engine, "before_cursor_execute", fail)
    monkeypatch.setattr("collector.alerts.worker.time.time", lambda: alerts.at)
    alerts.wrong.add("offline", "r101")
    for _ in range(20):
        alerts.at += 60
        with pytest.raises(OperationalError):
            alerts.worker.run_once()
    assert alerts.server.subjects == ["roommood: database not written"]
    is_full = False
    for _ in range(12):
        alerts.at += 60
        alerts.worker.run_once()
    assert alerts.server.subjects[1] == "roommood: Over: database not written"
    assert alerts.server.subjects[2] == "roommood school: r101: offline"
