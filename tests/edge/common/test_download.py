"""What a server sends packed though it was not asked to, from a real one with TLS."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.common.download import GZIP, LARGEST, download
from edge.common.errors import Problem
from tests.publisher import Publisher

TEXT = b"BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n"
IN_GZIP = {"Content-Encoding": "gzip"}


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    folder = tmp_path / "web"
    folder.mkdir()
    server = Publisher(folder)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    yield server
    server.stop()


@pytest.mark.parametrize("headers", [IN_GZIP, {"Content-Encoding": "x-gzip"}, {}])
def test_it_is_unpacked(publisher: Publisher, headers: dict[str, str]) -> None:
    publisher.answer = lambda _path, _headers: (200, headers, gzip.compress(TEXT))
    answer = download(f"{publisher.url}/a.ics", "here")
    assert answer is not None
    assert answer.content == TEXT


@pytest.mark.parametrize(
    ("headers", "body", "problem"),
    [
        (IN_GZIP, lambda: gzip.compress(TEXT)[:-9], "breaks off"),
        (IN_GZIP, lambda: GZIP + b"nothing", "cannot be unpacked"),
        ({"Content-Encoding": "br"}, lambda: b"packed", "in a way that is not known, br"),
        ({}, lambda: gzip.compress(bytes(LARGEST + 1)), "sends more than"),
        (IN_GZIP, lambda: gzip.compress(b"<!doctype html><title>Sign in"), "sends a web page"),
        (IN_GZIP, lambda: gzip.compress(b""), "sends nothing"),
    ],
)
def test_what_cannot_be_unpacked_is_said(
    publisher: Publisher, headers: dict[str, str], body: Callable[[], bytes], problem: str
) -> None:
    publisher.answer = lambda _path, _headers: (200, headers, body())
    with pytest.raises(Problem, match=problem):
        download(f"{publisher.url}/a.ics", "here")
