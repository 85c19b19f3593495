"""Passwords with letters that addresses have other uses for: they work, and are shown nowhere."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from collector import config
from collector.config import CollectorSettings
from edge.camera import make
from edge.common.address import mask, split
from edge.common.errors import CameraFault

SECRETS = ["pa/ss", "p@ss", "p#a?s", "[x]", "50%", "a:b@c/d", "x[", "%41", "ü ber"]
ADDRESSES = [
    "rtsp://kim:{}@10.0.0.4:554/live?channel=1",
    "postgresql://kim:{}@db/roommood",
    "postgresql://db/roommood?user=kim&password={}",
    "https://hooks.example/in?access_token={}",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("address", ADDRESSES)
def test_no_secret_in_an_address_is_shown(address: str, secret: str) -> None:
    if "?" in address.split("{}", maxsplit=1)[0]:
        secret = quote(secret, safe="")
    text = mask(address.format(secret))
    assert secret not in text
    assert unquote(secret) not in text
    assert address.split("://", maxsplit=1)[0] in text


@pytest.mark.parametrize("secret", SECRETS)
def test_a_database_is_reached_with_any_password(secret: str) -> None:
    settings = CollectorSettings(database=f"postgresql://kim:{secret}@db.example:5433/roommood")
    url = make_url(settings.database)
    assert (url.username, url.password) == ("kim", unquote(secret))
    assert (url.host, url.port, url.database) == ("db.example", 5433, "roommood")
    assert url.drivername.startswith("postgresql+")


@pytest.mark.parametrize("packages", [("psycopg", "pg8000"), ("psycopg2",), ("pg8000",), ()])
def test_the_driver_that_is_installed_is_chosen(
    packages: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "find_spec", lambda name: name in packages or None)
    settings = CollectorSettings(database="postgresql://kim:pw@db.example/roommood")
    first = packages[0] if packages else "psycopg"  # which the error then names
    assert make_url(settings.database).drivername == f"postgresql+{first}"
    other = CollectorSettings(database="postgresql+asyncpg://db.example/roommood")
    assert make_url(other.database).drivername == "postgresql+asyncpg", "what is said, holds"


@given(st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1, max_size=12))
def test_any_password_comes_out_as_it_went_in(secret: str) -> None:
    address = split(f"rtsp://kim:{quote(secret, safe='')}@10.0.0.4/live")
    assert address is not None
    assert address.encode().startswith("rtsp://kim:")
    assert unquote(address.encode()) == f"rtsp://kim:{secret}@10.0.0.4/live"


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://10.0.0.4/a@b",
        "rtsp://10.0.0.4:554/a@b",
        "rtsp://[fd00::4]:554/live",
        "sqlite:////var/lib/x@y.sqlite",
        "sqlite:///roommood.sqlite",
    ],
)
def test_an_address_without_user_stays_as_it_is(url: str) -> None:
    address = split(url)
    assert address is not None
    assert address.encode() == url


@pytest.mark.parametrize("secret", SECRETS)
def test_a_camera_that_fails_shows_no_password(secret: str) -> None:
    camera = make(f"rtsp://kim:{secret}@127.0.0.1:1/room")
    with pytest.raises(CameraFault) as fault:
        camera.open()
    assert secret not in str(fault.value)
    assert "127.0.0.1" in str(fault.value)
