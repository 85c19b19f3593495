"""Every setting that is a text: what is written is what is meant, and no secret is repeated.

The two models are walked, so a setting that is added later is tried as well, or missing here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel, SecretStr

from collector.config import CollectorSettings
from edge.common.address import mask, mask_path, mask_source
from edge.common.errors import UserError
from edge.common.settings import SECRETS, Section, load, show
from edge.config import AgentSettings

Keys = tuple[str | int, ...]
CONTACT = {"name": "A", "role": {"en": "r"}, "telephone": "1", "email": "a@b.example"}

BROKER = {"host": "h", "username": "u", "password": "p"}
ALL: dict[type[Section], dict[str, Any]] = {
    AgentSettings: {
        "site": "s",
        "room": "r",
        "device": "d",
        "camera": "usb:0",
        "model": "fer7",
        "state": "a",
        "pin": f"scrypt:{'0' * 32}:{'0' * 64}",
        "broker": BROKER,
        "kiosk": {"responsible": "Kim Lee"},
        "schedule": {
            "timezone": "UTC",
            "calendar": "a.ics",
            "calendar_rooms": ["r"],
            "harmless": ["h"],
        },
    },
    CollectorSettings: {
        "name": "c",
        "database": "sqlite:///a.sqlite",
        "broker": BROKER,
        "web": {"host": "::1", "url": "https://mood.example", "proxies": ["10.0.0.1"]},
        "school": {
            "harmless": ["h"],
            "timezone": "UTC",
            "region": "NZ",
            "attentive": ["happy"],
            "question": "q",
            "answers": ["a", "b", "c"],
            "markers": ["m"],
        },
        "rooms": {"r": {"title": "t", "calendars": ["r"]}},
        "oidc": {
            "issuer": "https://id.example",
            "client_id": "i",
            "client_secret": "s",
            "name": "n",
            "scopes": ["openid"],
            "claim": "groups",
            "roles": {"g": "teacher"},
        },
        "webhooks": [{"url": "https://hook.example", "secret": "whsec_c2VjcmV0"}],
        "alerts": {
            "timezone": "UTC",
            "email": {
                "server": "mail.example",
                "username": "u",
                "password": "p",
                "sender": "a@mail.example",
                "to": ["b@mail.example"],
                "sites": {"s": ["c@mail.example"]},
            },
        },
        "home_assistant": {"prefix": "h"},
        "public": {
            "s": {
                "title": "S",
                "responsible": CONTACT,
                "data_protection": CONTACT,
                **{name: {"en": "x"} for name in ("purpose", "legal_basis", "hours", "complaints")},
            }
        },
        "fleet": {"site": "s", "folder": "f", "broker_host": "h"},
    },
}


def texts(value: Any, keys: Keys = ()) -> Iterator[tuple[Keys, str]]:
    """Each text of a section that is no path, with the keys that lead to it."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from texts(getattr(value, name), (*keys, name))
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from texts(item, (*keys, name))
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from texts(item, (*keys, number))
    elif isinstance(value, str | SecretStr):
        yield keys, value if isinstance(value, str) else value.get_secret_value()


def replace_text(content: dict[str, Any], keys: Keys, text: str) -> str:
    """Settings as YAML, with a text as it stands at one place."""
    mark = "PUT-IT-HERE"
    content = json.loads(json.dumps(content))
    section: Any = content
    for key in keys[:-1]:
        section = section.setdefault(key, {}) if isinstance(section, dict) else section[key]
    section[keys[-1]] = mark
    # By libyaml, which writes the same ten times as fast; read it is as the project reads.
    return yaml.dump(content, Dumper=yaml.CSafeDumper).replace(mark, text)


PLACES = [
    (kind, keys)
    for kind, content in ALL.items()
    for keys, _ in texts(kind.model_validate(content))
    if not {"events", "without"} & set(keys)
]
PLAIN = ["1.10", "007", "12.50", "1e3", "0x1f", "1_000", "+49", "no", "true", "2026-03-09", "12:30"]


@pytest.mark.parametrize("text", PLAIN)
def test_a_text_is_what_is_written_or_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.yaml"
    taken = set[Keys]()
    for kind, keys in PLACES:
        path.write_text(replace_text(ALL[kind], keys, text))
        try:
            found = dict(texts(load(kind, path)))
        except UserError as error:
            assert error.remedy, keys  # noqa: PT017  # whether it raises is what differs
            continue
        taken.add(keys)
        assert text in found[keys], keys
    assert {("broker", "password"), ("broker", "username"), ("oidc", "client_id")} <= taken
    assert {("schedule", "calendar_rooms", 0), ("rooms", "r", "calendars", 0)} <= taken


MISREADINGS = ["&hunter2Zx9", "&hunter2 Zx9", "*hunter2Zx9", "!hunter2Zx9", "#hunter2Zx9", ""]
"""Secrets that YAML takes for something else."""


@pytest.mark.parametrize("text", MISREADINGS)
def test_a_secret_that_yaml_would_lose_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.yaml"
    secrets = [(kind, keys) for kind, keys in PLACES if keys[-1] in SECRETS]
    assert {keys[-1] for _, keys in secrets} == SECRETS
    for kind, keys in secrets:
        path.write_text(replace_text(ALL[kind], keys, text))
        with pytest.raises(UserError, match=r"not valid YAML at line \d+") as refusal:
            load(kind, path)
        assert "put the value in quotes" in refusal.value.remedy
        assert "hunter2" not in str(refusal.value)


def test_a_secret_in_quotes_is_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    for text in MISREADINGS[:-1]:
        for kind, keys in PLACES:
            if keys[-1] == "password":
                path.write_text(replace_text(ALL[kind], keys, json.dumps(text)))
                assert dict(texts(load(kind, path)))[keys] == text


def test_every_secret_is_known_to_the_reader_of_yaml() -> None:
    names = set[str]()

    def walk(kind: type[BaseModel]) -> None:
        for name, field in kind.model_fields.items():
            for one in inner(field.annotation):
                if one is SecretStr:
                    names.add(name)
                elif isinstance(one, type) and issubclass(one, BaseModel):
                    walk(one)

    for kind in ALL:
        walk(kind)
    assert names == SECRETS


def test_every_setting_that_is_a_text_is_tried() -> None:
    tried = {(kind, *(key for key in keys if isinstance(key, str))) for kind, keys in PLACES}

    def walk(kind: type[BaseModel], keys: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for name, field in kind.model_fields.items():
            found = inner(field.annotation)
            for one in found:
                if isinstance(one, type) and issubclass(one, BaseModel):
                    yield from walk(one, (*keys, name))
                elif one in (str, SecretStr):
                    yield (*keys, name)

    missing = [
        (root, keys)
        for root in ALL
        for keys in walk(root, ())
        if not any(one[0] is root and keys[-1] in one[1:] for one in tried)
        and keys
        not in (("oidc", "roles"), ("retention",), ("rooms",), ("alerts", "email", "sites"))
    ]
    assert not missing


def inner(annotation: Any) -> Iterator[Any]:
    arguments = get_args(annotation)
    if not arguments:
        yield annotation
    for one in arguments:
        yield from inner(one)


SECRET = "hunter2Zx9"
IN_A_PATH = "https://hooks.example/services/T1/B2/{}"
SLIPS = [
    "rtsp://10.0.0.4:554/user=admin_password={}_channel=1_stream=0.sdp",
    "rtsp://10.0.0.4/user=admin&password=ab@{}&channel=1",
    "rtsp://10.0.0.4/live?pwd={}",
    "rtsp://10.0.0.4/live?pw={}",
    "rtsp://10.0.0.4/live?{}",
    "rtsp://10.0.0.4:7447/{}Abcdef",
    " rtsp://kim:{}@10.0.0.4/live",
    "rtsp:/kim:{}@10.0.0.4/live",
    "rtsp//kim:{}@10.0.0.4/live",
    "rtsp:kim:{}@10.0.0.4/live",
    "kim:{}@10.0.0.4/live",
    "kim2:{}@10.0.0.4/live",
    "10.0.0.4:554/user=admin_password={}_channel=1",
    "10.0.0.4/user=admin&password={}",
    "http://kim:{}@10.0.0.4/live.mjpeg",
    "postgresql://roommood:{}/roommood",
    "postgresql://roommood:{}@/roommood",
    "postgresql://h/roommood?user=kim&password={}",
    "postgresql://h/roommood?sslpassword={}",
    "postgresql:/roommood:{}@h/roommood",
    "postgresql://roommood:{}@h:port/roommood",
    "sqlite:///a.sqlite?key={}",
    "mqtt://kim:{}@h",
    "kim:{}@h",
    "kim:{}",
    "h/{}",
    "h?token={}",
    IN_A_PATH,
    "https://kim:{}@hooks.example/",
    "https://hooks.example/?token={}",
]
ADDRESSES = {
    ("camera",),
    ("database",),
    ("broker", "host"),
    ("web", "host"),
    ("web", "url"),
    ("oidc", "issuer"),
    ("webhooks", 0, "url"),
    ("alerts", "email", "server"),
    ("alerts", "email", "sender"),
    ("alerts", "email", "to", 0),
    ("fleet", "broker_host"),
}


HARMLESS: dict[Keys, set[str]] = {
    ("camera",): {"h/{}"},
    ("web", "url"): {IN_A_PATH},
    ("oidc", "issuer"): {IN_A_PATH},
}
"""A file's name, and paths that are no secret: of our own pages, and of the provider."""


def refusal_or_settings(kind: type[Section], path: Path) -> str:
    try:
        return show(load(kind, path))
    except UserError as error:
        return str(error)


def test_no_setting_that_is_an_address_repeats_a_secret(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    for kind, keys in PLACES:
        if keys not in ADDRESSES:
            continue
        for slip in SLIPS:
            if slip in HARMLESS.get(keys, ()):
                continue
            path.write_text(replace_text(ALL[kind], keys, json.dumps(slip.format(SECRET))))
            shown = refusal_or_settings(kind, path)
            assert SECRET not in shown, (keys, slip, shown)


@pytest.mark.parametrize("slip", SLIPS)
def test_no_mask_leaves_a_secret(slip: str) -> None:
    text = slip.format(SECRET)
    assert SECRET not in mask_path(text)
    if "https:" not in text and re.search("://|[@=]", text):
        assert SECRET not in mask_source(text)
    if "https:" not in text and "://" in text:
        assert SECRET not in mask(text)


@pytest.mark.parametrize(
    "value",
    [
        "password: !{}",
        "password: !{} x",
        "password: !x!{} y",
        "password: *{}",
        "password: '{}",
        'password: "{}',
        "password: [{}",
        "password: {}: x: y",
        "password:{}",
        "password={}",
        "password {}: x",
        "? [{}]\n  : x",
        "password: @{}",
        "password: [{}]",
        "password: {{{}: x}}",
        "hots:{}",
        "password: \\{}\n password: x",
    ],
)
def test_a_file_that_cannot_be_read_is_not_repeated(tmp_path: Path, value: str) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(f"site: s\nroom: r\nstate: a\nbroker:\n  host: h\n  {value.format(SECRET)}\n")
    with pytest.raises(UserError) as error:
        load(AgentSettings, path)
    assert SECRET not in str(error.value)
    assert error.value.remedy


LOOKS = ["a://b@c?key=1", "who@school.example?token=2", "https://x.example/y?auth=3"]


@pytest.mark.parametrize("text", LOOKS)
def test_what_only_looks_like_an_address_is_shown_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.yaml"
    content = ALL[CollectorSettings] | {
        "database": "sqlite:////var/lib/x@y.sqlite",
        "rooms": {"r": {"title": text, "calendars": [text]}},
        "school": {"question": text, "markers": [text]},
        "broker": {"username": text},
        "webhooks": [],
        "alerts": None,
        "oidc": None,
    }
    path.write_text(yaml.safe_dump(content))
    first = load(CollectorSettings, path)
    path.write_text(show(first).replace("**********", ""))
    assert load(CollectorSettings, path) == first
