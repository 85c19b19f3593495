from __future__ import annotations

import json
import os
import socket
import string
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError

from edge.camera.recording import Recording
from edge.common.errors import UserError
from edge.common.settings import load
from edge.config import AgentSettings
from edge.permission.mode import Mode, decide
from edge.protocol.attestation import Attestation, countries, country_codes, sign

TODAY = date(2026, 12, 1)
ANSWERS: dict[str, Any] = {
    "site": "school",
    "rooms": ["r101"],
    "responsible": {"name": "Ada Moana", "role": "Head teacher", "contact": "head@school.example"},
    "purpose": "education",
    "legal_basis": "a law, a decision and an assessment",
    "country": "NZ",
    "first_day": TODAY,
    "last_day": TODAY + timedelta(days=300),
}
EXCEPTED = {"purpose": "medical", "exception": "therapy ordered by a physician"}


@pytest.fixture
def key(tmp_path: Path) -> Ed25519PrivateKey:
    private_key = Ed25519PrivateKey.generate()
    pem = private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "site.pub").write_bytes(pem)
    return private_key


def signed(folder: Path, key: Ed25519PrivateKey, **changed: object) -> Path:
    path = folder / "attestation.yaml"
    path.write_text(sign(Attestation.model_validate(ANSWERS | changed), key))
    return path


def settings(folder: Path, **changed: object) -> AgentSettings:
    content = {
        "site": "school",
        "room": "r101",
        "camera": "usb:0",
        "state": "state",
        "attestation": "attestation.yaml",
        "site_key": "site.pub",
    }
    path = folder / "agent.yaml"
    path.write_text(yaml.safe_dump(content | changed))
    return load(AgentSettings, path)


def because(folder: Path, today: date = TODAY, **changed: object) -> str:
    """Why faces are only counted, or that they are not."""
    config = settings(folder, **changed)
    mode = decide(config, today, Recording(config.camera).live())
    assert mode.sentence
    assert (mode.name == "emotion") == (
        mode.because in ("attested", "exempt_source", "exempt_demo")
    )
    return mode.because


def test_somebody_answers_for_it(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    signed(tmp_path, key)
    config = settings(tmp_path)
    assert decide(config, TODAY, Recording(config.camera).live()) == Mode("emotion", "attested")


def test_without_an_attestation_faces_are_counted(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    assert because(tmp_path, attestation=None) == "no_attestation"
    assert because(tmp_path, site_key=None) == "no_attestation"
    assert because(tmp_path) == "unreadable"
    (tmp_path / "attestation.yaml").write_text("attestation: {}\n")
    assert because(tmp_path) == "unreadable"
    signed(tmp_path, key)
    (tmp_path / "site.pub").write_text("not a key")
    assert because(tmp_path) == "unreadable"


def test_a_changed_attestation_is_not_signed(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    path = signed(tmp_path, key)
    path.write_text(path.read_text().replace("r101", "r102"))
    assert because(tmp_path, room="r102") == "bad_signature"
    signed(tmp_path, Ed25519PrivateKey.generate())
    assert because(tmp_path) == "bad_signature"
    content = yaml.safe_load(signed(tmp_path, key).read_text())
    path.write_text(yaml.safe_dump(content | {"signature": "no base64!"}))
    assert because(tmp_path) == "bad_signature"


def test_it_holds_for_its_rooms_and_days(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    signed(tmp_path, key)
    assert because(tmp_path, room="r102") == "other_room"
    assert because(tmp_path, site="other") == "other_room"
    assert because(tmp_path, TODAY - timedelta(days=1)) == "not_yet"
    assert because(tmp_path, date(1970, 1, 1)) == "not_yet"
    assert because(tmp_path, TODAY + timedelta(days=301)) == "expired"
    signed(tmp_path, key, rooms=["*"])
    assert because(tmp_path, room="r102") == "attested"


@pytest.mark.parametrize("country", ["DE", "FR", "NO"])
def test_where_it_is_prohibited_only_an_exception_helps(
    tmp_path: Path, key: Ed25519PrivateKey, country: str
) -> None:
    signed(tmp_path, key, country=country)
    assert because(tmp_path) == "prohibited"
    signed(tmp_path, key, country=country, purpose="medical")
    assert because(tmp_path) == "prohibited"  # the exception needs a basis of its own
    signed(tmp_path, key, country=country, **EXCEPTED)
    assert because(tmp_path) == "attested"


def test_nobody_is_watched_by_a_script_or_a_film(tmp_path: Path, data: Path) -> None:
    film = data / "rooms_mosaic" / "mosaic_2x2.mp4"
    for source in ("sim:seats=8", str(film), str(film.parent)):
        assert because(tmp_path, camera=source, attestation=None) == "exempt_source"


def test_no_setting_claims_to_be_a_demonstration(tmp_path: Path) -> None:
    """And a broker on loopback, which some other process runs, is none."""
    with pytest.raises(UserError, match="unknown key 'demo'"):
        because(tmp_path, attestation=None, demo=True)
    with socket.create_server(("127.0.0.1", 0)) as broker:
        port = broker.getsockname()[1]
        assert because(tmp_path, attestation=None, broker={"port": port}) == "no_attestation"


CODES = sorted(country_codes())
PURPOSES: tuple[dict[str, str], ...] = (
    {"purpose": "education"},
    {"purpose": "medical"},
    EXCEPTED,
    EXCEPTED | {"purpose": "safety"},
)


@pytest.mark.parametrize("purpose", PURPOSES, ids=str)
def test_every_country_and_purpose_is_as_the_table_says(
    tmp_path: Path, key: Ed25519PrivateKey, purpose: dict[str, str]
) -> None:
    assert len(CODES) == 249
    for country in CODES:
        signed(tmp_path, key, country=country, **purpose)
        is_listed = country in countries().countries
        excepted = purpose["purpose"] != "education" and "exception" in purpose
        expectation = "prohibited" if is_listed and not excepted else "attested"
        assert because(tmp_path) == expectation, country


CYRILLIC = "D\N{CYRILLIC CAPITAL LETTER IE}"
WRONG = ["EU", "EL", "UK", "ZZ", "XX", "XK", "EN", "AA", "QM", "de", "DEU", "", "D", CYRILLIC]


def wrong_codes() -> list[str]:
    """A thousand strings that are no country's code."""
    random = Random(1)
    letters = string.ascii_letters + string.digits + " -\u0415"
    codes = {"".join(random.choices(letters, k=random.randint(0, 4))) for _ in range(2000)}
    return [*WRONG, *sorted(codes - {*CODES, *WRONG})][:1000]


def test_what_is_no_country_reads_no_expression(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    codes = wrong_codes()
    assert len(codes) == 1000
    path = signed(tmp_path, key)
    text = path.read_text()
    for code in codes:
        with pytest.raises(ValidationError, match="country"):
            Attestation.model_validate(ANSWERS | {"country": code})
    for code in WRONG:
        path.write_text(text.replace("country: NZ", f"country: {json.dumps(code)}"))
        assert because(tmp_path) == "unreadable"


def test_headcount_can_be_chosen(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    signed(tmp_path, key)
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


def test_an_unquoted_no_is_norway(tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text(yaml.safe_dump(ANSWERS).replace("country: NZ", "country: NO"))
    assert load(Attestation, path).country == "NO"


def test_the_table_has_the_union_and_the_area_with_date_and_source() -> None:
    table = countries()
    assert len(table.countries) == 27 + 3 + 7  # the Union, the Area, regions outside Europe
    assert table.as_of >= date(2026, 11, 20)
    rule = table.rule("DE")
    assert rule is not None
    assert rule.since == date(2025, 2, 2)
    assert "2024/1689" in rule.source
    assert table.rule("NZ") is None


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
        signed(tmp_path, key, **answers)
    own = {} if reason is not None else {"attestation": None}
    (tmp_path / "source").mkdir()
    config = settings(tmp_path, camera=make(tmp_path / "source"), **own)
    recording = Recording(config.camera)
    if change is not None:
        assert decide(config, TODAY, recording.live()).because == "exempt_source"
        change(tmp_path / "source")
    because = decide(config, TODAY, recording.live()).because
    assert because == ("exempt_source" if is_exempt else reason or "no_attestation")
