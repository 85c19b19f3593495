"""Passwords with letters that addresses have other uses for: no command ever prints one.

Everything that may hold one has it at once; nothing of it answers, so that each place fails aloud.
"""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import quote, quote_plus

import click
import pytest
import yaml
from click.testing import CliRunner

from collector.cli import collector
from edge.cli import agent
from tests.free import free_port
from tests.system.process import Roommood

pytestmark = pytest.mark.once

SECRETS = [
    "p@ss-wrd",
    "pa/ss-wrd",
    "p[ss-wrd",
    "[pass-wrd]",
    "pa#ss-wrd",
    "50%-wrd",
    "a:b@c/d#e[-wrd",
]
HOOK_KEY = "whsec_c2VjcmV0LXdyZC1zZWNyZXQtd3JkLXNlY3JldA=="


def agent_settings(folder: Path, secret: str) -> Path:
    port, url_secret = free_port(), quote(secret, safe="")
    calendar = f"https://kim:{secret}@127.0.0.1:{port}/{url_secret}.ics?token=t-{url_secret}"
    content = {
        "site": "school",
        "room": "r101",
        "state": "agent-state",
        "camera": f"rtsp://kim:{secret}@127.0.0.1:{port}/live?password={url_secret}",
        "broker": {"port": port, "username": "kim", "password": secret},
        "schedule": {
            "timezone": "UTC",
            "calendar": calendar,
            "holidays_calendar": f"{calendar}&holidays=1",
        },
    }
    path = folder / "agent.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def collector_settings(folder: Path, secret: str) -> Path:
    port, url_secret = free_port(), quote(secret, safe="")
    content = {
        "database": f"postgresql://kim:{secret}@127.0.0.1:{port}/roommood",
        "state": "collector-state",
        "broker": {"port": port, "username": "kim", "password": secret},
        "school": {
            "timetable": f"https://kim:{secret}@127.0.0.1:{port}/lessons.ics?key={url_secret}"
        },
        "webhooks": [
            {
                "url": f"https://kim:{secret}@127.0.0.1:{port}/in?token={url_secret}",
                "secret": HOOK_KEY,
            }
        ],
        "alerts": {
            "email": {
                "server": "127.0.0.1",
                "port": port,
                "username": "kim",
                "password": secret,
                "sender": "roommood@school.example",
                "to": ["it@school.example"],
            }
        },
        "oidc": {
            "issuer": f"http://127.0.0.1:{port}",
            "client_id": "roommood",
            "client_secret": secret,
            "roles": {"teachers": "teacher"},
        },
    }
    path = folder / "collector.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def forms(secret: str) -> set[str]:
    """As it may be written somewhere."""
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        repr(secret)[1:-1],
        "-wrd",
    }


COMMANDS: list[tuple[click.Group, list[str]]] = [
    *((agent, [name]) for name in ("show-config", "check", "doctor", "schedule")),
    (agent, ["doctor", "--json"]),
    (agent, ["set", "log_level=debug"]),
    (agent, ["set", "window_seconds=soon"]),
    *((collector, [name]) for name in ("show-config", "check", "timetable", "backup", "test-mail")),
    *((collector, words) for words in (["audit", "show"], ["account", "list"])),
    (collector, ["run"]),
]


@pytest.mark.parametrize("secret", SECRETS)
def test_no_command_shows_a_password(
    tmp_path: Path, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    files = {agent.name: agent_settings(tmp_path, secret)}
    files[collector.name] = collector_settings(tmp_path, secret)
    for group, words in COMMANDS:
        caplog.clear()
        more = [str(tmp_path / "backup.zip")] if words == ["backup"] else []
        command = [*words, "--config", str(files[group.name]), *more]
        result = CliRunner().invoke(group, command, standalone_mode=False)
        text = result.output + str(result.exception or "") + caplog.text
        assert text, words
        for form in forms(secret):
            assert form not in text, (words, text)


@pytest.mark.parametrize("secret", SECRETS[-1:])
def test_an_agent_that_runs_shows_none_in_its_log(tmp_path: Path, secret: str) -> None:
    with Roommood("agent", "run", "--config", agent_settings(tmp_path, secret)) as running:
        running.wait_for_line("broker: ")
        running.wait_for_line("calendar")
        running.interrupt()
        text = "\n".join(running.errors) + running.output()
    assert "Traceback" not in text
    assert not [form for form in forms(secret) if form in text]
