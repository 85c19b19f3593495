from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.camera.recording import Recording
from edge.common.errors import UserError
from edge.common.settings import load
from edge.permission.mode import Mode, decide
from edge.protocol.attestation import Attestation
from tests.edge.permission.attestations import (
    ANSWERS,
    TODAY,
    because,
    new_key,
    settings,
    write_attestation,
)


@pytest.fixture
def key(tmp_path: Path) -> Ed25519PrivateKey:
    return new_key(tmp_path)


def test_somebody_answers_for_it(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    write_attestation(tmp_path, key)
    config = settings(tmp_path)
    assert decide(config, TODAY, Recording(config.camera).live()) == Mode("emotion", "attested")


def test_without_an_attestation_faces_are_counted(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    assert because(tmp_path, attestation=None) == "no_attestation"
    assert because(tmp_path, site_key=None) == "no_attestation"
    assert because(tmp_path) == "unreadable"
    (tmp_path / "attestation.yaml").write_text("attestation: {}\n")
    assert because(tmp_path) == "unreadable"
    write_attestation(tmp_path, key)
    (tmp_path / "site.pub").write_text("not a key")
    assert because(tmp_path) == "unreadable"


def test_a_changed_attestation_is_not_signed(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    path = write_attestation(tmp_path, key)
    path.write_text(path.read_text().replace("r101", "r102"))
    assert because(tmp_path, room="r102") == "bad_signature"
    write_attestation(tmp_path, Ed25519PrivateKey.generate())
    assert because(tmp_path) == "bad_signature"
    content = yaml.safe_load(write_attestation(tmp_path, key).read_text())
    path.write_text(yaml.safe_dump(content | {"signature": "no base64!"}))
    assert because(tmp_path) == "bad_signature"


def test_it_holds_for_its_rooms_and_days(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    write_attestation(tmp_path, key)
    assert because(tmp_path, room="r102") == "other_room"
    assert because(tmp_path, site="other") == "other_room"
    assert because(tmp_path, TODAY - timedelta(days=1)) == "not_yet"
    assert because(tmp_path, date(1970, 1, 1)) == "not_yet"
    assert because(tmp_path, TODAY + timedelta(days=301)) == "expired"
    write_attestation(tmp_path, key, rooms=["*"])
    assert because(tmp_path, room="r102") == "attested"


def test_nobody_is_watched_by_a_script_or_a_film(tmp_path: Path, data: Path) -> None:
    film = data / "rooms_mosaic" / "mosaic_2x2.mp4"
    for source in ("sim:seats=8", str(film), str(film.parent)):
        assert because(tmp_path, camera=source, attestation=None) == "exempt_source"


def test_headcount_can_be_chosen(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    write_attestation(tmp_path, key)
    assert because(tmp_path, mode="headcount") == "set"
    assert because(tmp_path, mode="headcount", camera="sim:seats=8") == "set"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"last_day": TODAY + timedelta(days=400)}, "more than a year later"),
        ({"last_day": TODAY - timedelta(days=1)}, "more than a year later"),
        ({"country": "New Zealand"}, "country"),
        ({"responsible": {"name": "Ada Moana"}}, "responsible"),
        ({"legal_basis": " "}, "legal_basis"),
        ({"rooms": []}, "rooms"),
        ({"why": "because"}, "why"),
    ],
)
def test_wrong_answers_are_named(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text(yaml.safe_dump(ANSWERS | changes))
    with pytest.raises(UserError, match=words):
        load(Attestation, path)


def _file(folder: Path) -> Path:
    path = folder / "a.mp4"
    path.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(200))
    return path


def _link(folder: Path, target: Path) -> str:
    path = folder / f"link{target.suffix}"
    path.symlink_to(target)
    return str(path)


def _pipe(folder: Path) -> Path:
    path = folder / "pipe.mp4"
    os.mkfifo(path)
    return path


def _pictures(folder: Path) -> Path:
    path = folder / "pictures"
    path.mkdir()
    (path / "a.jpg").write_bytes(b"a")
    return path


Change = Callable[[Path], object]
SOURCES: dict[str, tuple[Callable[[Path], str], Change | None, bool]] = {
    "the simulation": (lambda _: "sim:seats=4,seed=1", None, True),
    "a file": (lambda at: str(_file(at)), None, True),
    "a link to a file": (lambda at: _link(at, _file(at)), None, True),
    "a folder": (lambda at: str(_pictures(at)), None, True),
    "a link to a folder": (lambda at: _link(at, _pictures(at)), None, True),
    "a file that grows": (
        lambda at: str(_file(at)),
        lambda at: (at / "a.mp4").open("ab").write(b"x"),
        False,
    ),
    "a link to a file that grows": (
        lambda at: _link(at, _file(at)),
        lambda at: (at / "a.mp4").open("ab").write(b"x"),
        False,
    ),
    "a file that is replaced": (
        lambda at: str(_file(at)),
        lambda at: (at / "a.mp4").rename(at / "b.mp4") and _file(at),
        False,
    ),
    "a folder that changes": (
        lambda at: str(_pictures(at)),
        lambda at: (at / "pictures" / "b.jpg").write_bytes(b"b"),
        False,
    ),
    "a link to a folder that changes": (
        lambda at: _link(at, _pictures(at)),
        lambda at: (at / "pictures" / "a.jpg").write_bytes(b"b"),
        False,
    ),
    "a pipe": (lambda at: str(_pipe(at)), None, False),
    "a link to a pipe": (lambda at: _link(at, _pipe(at)), None, False),
    "a device": (lambda _: "/dev/null", None, False),
    "a link to a device": (lambda at: _link(at, Path("/dev/null")), None, False),
    "a camera by its number": (lambda _: "usb:0", None, False),
    "a camera by its name": (lambda _: "usb:/dev/v4l/by-id/cam", None, False),
    "the Pi's camera": (lambda _: "picamera", None, False),
    "a network address": (lambda _: "rtsp://10.0.0.4/live", None, False),
}
ATTESTATIONS: dict[str, tuple[dict[str, object], str | None]] = {
    "none": ({}, None),
    "for this room": ({}, "attested"),
    "for another room": ({"rooms": ["r102"]}, "other_room"),
    "that has ended": (
        {"last_day": TODAY - timedelta(days=1), "first_day": TODAY - timedelta(2)},
        "expired",
    ),
    "for a country that forbids it": ({"country": "DE"}, "prohibited"),
}


@pytest.mark.parametrize("attestation", ATTESTATIONS)
@pytest.mark.parametrize("source", SOURCES)
def test_a_source_is_exempt_exactly_where_that_is_certain(
    tmp_path: Path, key: Ed25519PrivateKey, source: str, attestation: str
) -> None:
    """And where it is not, the attestation alone decides."""
    make, change, is_exempt = SOURCES[source]
    answers, reason = ATTESTATIONS[attestation]
    if reason is not None:
        write_attestation(tmp_path, key, **answers)
    own = {} if reason is not None else {"attestation": None}
    (tmp_path / "source").mkdir()
    config = settings(tmp_path, camera=make(tmp_path / "source"), **own)
    recording = Recording(config.camera)
    if change is not None:
        assert decide(config, TODAY, recording.live()).because == "exempt_source"
        change(tmp_path / "source")
    because = decide(config, TODAY, recording.live()).because
    assert because == ("exempt_source" if is_exempt else reason or "no_attestation")
