"""A real mail server: reached in each way, and in words why it is not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from click.testing import CliRunner

from collector.alert_settings import EmailSettings
from collector.alerts.smtp import try_server
from collector.cli import collector
from edge.common.errors import UserError
from tests.free import free_port
from tests.mail_server import PASSWORD, MailServer, Tls


def settings(server: MailServer, /, **changes: Any) -> EmailSettings:
    return EmailSettings.model_validate(server.settings(**changes))


@pytest.mark.parametrize("tls", get_args(Tls))
def test_each_way_to_a_server(tmp_path: Path, tls: Tls) -> None:
    server = MailServer(tmp_path, tls)
    server.start()
    try:
        assert try_server(settings(server)) is None
        assert server.signed_in == 1
        assert server.mails == []
    finally:
        server.stop()


@pytest.fixture
def silent_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ("changes", "what", "remedy"),
    [
        ({"password": "wrong-wrd"}, "rejects our user and password", "username"),
        ({"password": "wröng-wrd"}, "rejects our user and password", "username"),
        ({"ca": None}, "not signed by an authority that we know", "alerts.email.ca"),
        ({"server": "127.0.0.1"}, "its certificate is for another", "alerts.email.server"),
        ({"tls": "tls"}, "does not speak TLS as we do", "alerts.email.tls"),
        ({"tls": "none", "server": "127.0.0.1"}, "", "alerts.email"),
        ({"port": free_port()}, "nothing accepts connections there", "alerts.email.port"),
        ({"server": "no-such-name.invalid"}, "name is not known", "alerts.email.server"),
    ],
)
def test_why_a_server_cannot_be_used(
    mail_server: MailServer, changes: dict[str, Any], what: str, remedy: str
) -> None:
    problem = try_server(settings(mail_server, **changes))
    assert problem is not None
    assert what in problem.what
    assert remedy in problem.remedy
    for secret in (PASSWORD, "-wrd"):
        assert secret not in str(problem)


def test_a_server_that_says_nothing(
    mail_server: MailServer, silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.alerts.smtp.TIMEOUT_S", 0.5)
    for tls in get_args(Tls):
        problem = try_server(settings(mail_server, port=silent_port, tls=tls))
        assert problem is not None
        assert "no answer" in problem.what, tls


@pytest.mark.parametrize("content", ["", "no PEM", None])
def test_an_authority_that_cannot_be_used(
    mail_server: MailServer, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError) as error:
        try_server(settings(mail_server, ca=path))
    assert str(path) in error.value.where
    assert error.value.remedy


def run(tmp_path: Path, server: MailServer, command: str, /, **changes: Any) -> tuple[int, str]:
    email = server.settings(**changes)
    email["ca"] = str(email["ca"])
    path = tmp_path / "collector.yaml"
    content = {
        "database": f"sqlite:///{tmp_path}/c.sqlite",
        "state": str(tmp_path / "state"),
        "broker": {"port": free_port()},
        "alerts": {"email": email, "language": "fr"},
    }
    path.write_text(yaml.safe_dump(content))
    result = CliRunner().invoke(collector, [command, "--config", str(path)], standalone_mode=False)
    return result.return_value, result.output + str(result.exception or "")


def test_check_tries_it_and_sends_nothing(tmp_path: Path, mail_server: MailServer) -> None:
    _, text = run(tmp_path, mail_server, "check")
    assert f"mail server: localhost:{mail_server.port}: ok" in text
    status, text = run(tmp_path, mail_server, "check", password="wrong")
    assert "rejects our user and password" in text
    assert status == 1
    assert mail_server.mails == []


def test_a_test_mail_reaches_everybody(tmp_path: Path, mail_server: MailServer) -> None:
    sites = {"north": ["kim@north.example"]}
    _, text = run(tmp_path, mail_server, "test-mail", sites=sites)
    assert text == "sent to 2 recipients\n"
    assert [one.rcpt_tos for one in mail_server.envelopes] == [
        ["it@school.example"],
        ["kim@north.example"],
    ]
    assert "les alertes arrivent" in mail_server.subjects[0]
    mail_server.unknown_people = {"kim@north.example"}
    _, text = run(tmp_path, mail_server, "test-mail", sites=sites)
    assert "accepts none of the recipients (550)" in text


@pytest.mark.parametrize(
    "changes",
    [
        {"to": []},
        {"to": ["it@school.example\nBcc: x@y.example"]},
        {"to": ["IT <it@school.example>"]},
        {"sender": "it"},
        {"sender": "it@school.example, x@y.example"},
        {"tls": "none", "server": "mail.school.example"},
        {"password": ""},
        {"server": "https://mail.school.example"},
    ],
)
def test_settings_that_cannot_be_meant(mail_server: MailServer, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="|".join([*changes, "TLS"])):
        settings(mail_server, **changes)
