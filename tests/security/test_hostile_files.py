"""Files and texts from outside that want more than they may have: memory, a terminal, a page."""

from __future__ import annotations

import io
import tarfile
import tracemalloc
from typing import Any

import click
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collector.pages.redirects import local
from deploy.commands import cli
from edge.common import calendar_file
from edge.common.calendar import Calendar
from edge.common.calendar_event import IgnoredEvent
from edge.common.command import echo_plan
from edge.common.errors import UserError
from edge.protocol.bundle import unpack
from tests.edge.common.test_calendar_faults import BERLIN, event, file

ESCAPES = "\x1b]0;pwned\x07\x1b[2J\x1b[8m\u202e"


def archive(headers: dict[str, str], content: bytes = b"x") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("settings.yaml")
        info.size, info.pax_headers = len(content), headers
        tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


SPARSE = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "settings.yaml"}


@pytest.mark.parametrize(
    "headers",
    [
        {"GNU.sparse.size": "abc"},
        {"size": "-99999999999"},
        {"size": "9" * 30},
        SPARSE | {"GNU.sparse.realsize": "600000000"},
        {"GNU.sparse.map": "0,1,600000000,0", "GNU.sparse.size": "600000000"},
        {"GNU.sparse.map": "0,1", "GNU.sparse.size": "-100000000000"},
    ],
    ids=str,
)
def test_an_update_is_refused_before_it_takes_memory(headers: dict[str, str]) -> None:
    data = archive(headers, b"1\n0\n1\n".ljust(512, b"\0") + b"x")
    tracemalloc.start()
    with pytest.raises(UserError):
        unpack(data, Ed25519PrivateKey.generate().public_key(), "school")
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_a_calendar_of_more_events_than_a_service_bears_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calendar_file, "MOST", 20)
    line = "DTSTART:20260302T091500Z\r\nDTEND:20260302T100000Z"

    def read(count: int) -> Calendar:
        events = (event(line, uid=f"{n}@s") for n in range(count))
        return Calendar(file(*events).encode(), BERLIN, "lessons.ics")

    assert not read(20).is_empty
    with pytest.raises(UserError, match="has 21 events, more than the 20 that are read: export"):
        read(21)


@pytest.mark.parametrize(
    "address", ["http://[", "//[x", "/\\x", "http://[::1", "/a\nb", "", "x", "http://[v1.x]/"]
)
def test_an_address_of_any_form_leads_home(address: str) -> None:
    assert local(address) == "/"


def test_what_others_say_does_not_steer_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise UserError(f"rejected ({ESCAPES})", "collector", "ask them\nand then")

    for error in (refuse, lambda *_, **__: 1 / 0):
        monkeypatch.setattr(cli, "roommood", error)
        with pytest.raises(SystemExit):
            cli.main()
    shown = capsys.readouterr()
    assert not any(one in shown.out + shown.err for one in "\x1b\x07\u202e")


def test_titles_of_calendars_do_not_either() -> None:
    @click.command()
    def show() -> None:
        entry = {"start": "2026-03-02T09:15", "end": "2026-03-02T10:00", "title": ESCAPES}
        echo_plan("lessons", [entry], [IgnoredEvent(ESCAPES, ESCAPES)], False, "none")

    output = CliRunner().invoke(show).output
    assert "pwned" in output
    assert not any(one in output for one in "\x1b\x07\u202e")
