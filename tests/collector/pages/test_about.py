"""The page that anybody may read: off by default, and nothing in it but what is public."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collector.config import CollectorSettings
from collector.pages import about
from collector.pages.words import LANGUAGES, words
from edge.common.errors import UserError
from edge.common.settings import show, validate
from tests.collector.public import PAGE, attestation, public_settings, status
from tests.collector.school import OTHER, OWN, School

SITE, DOOR = "/about/school", "/about/school/r101"
LIVE_FACES = 4111


@pytest.fixture
def public(tmp_path: Path) -> Iterator[School]:
    with School(tmp_path, **public_settings(tmp_path)) as server:
        server.staff()
        server.windows(OWN, faces=LIVE_FACES, counts={"happy": LIVE_FACES, "uncertain": 0})
        server.windows(OTHER)
        server.service.rooms.update_status(status())
        server.service.rooms.update_status(
            status("r102", mode="headcount", because="set", fitted=None)
        )
        yield server


def page(server: School, path: str = SITE, **headers: str) -> httpx.Response:
    with server.client() as client:
        return client.get(path, headers=headers)


def text(answer: httpx.Response) -> str:
    return unescape(
        " ".join(re.sub(r"</?(td|th|p|h1|h2|br)\b[^>]*>|<[^>]+>", tag, answer.text).split())
    )


def tag(match: re.Match[str]) -> str:
    """What stands on a line of its own is apart from the rest."""
    return " " if match[1] else ""


def test_a_school_that_has_not_switched_it_on_has_none(school: School) -> None:
    for path in (SITE, DOOR, "/about/nowhere"):
        assert page(school, path).status_code == 404


def test_another_site_and_a_room_that_is_not_there_are_not_found(public: School) -> None:
    for path in ("/about/other", "/about/school/r999", "/about/other/r101"):
        assert page(public, path).status_code == 404


def test_it_says_what_is_counted_where_on_whose_authority_and_until_when(public: School) -> None:
    last_day = date.today() + timedelta(days=100)
    content = text(page(public))
    assert "Room 101 Faces and expressions Authorised by Carla Ruiz, Chair of the board" in content
    assert f"until {last_day.day} {last_day:%B %Y}." in content
    assert "Library Faces only To switch it off in the room: Not known" in content
    assert "Numbers are deleted after 30 days, a lesson's averages after 365." in content
    assert "Responsible: Ada Moana, Head teacher, +64 3 5550 100, head@school.example" in content
    door = text(page(public, "/about/school/r102"))
    assert "Library: faces are counted here" in door
    assert "Carla Ruiz" not in door
    assert "Room 101" not in door


def test_nothing_is_in_it_that_is_not_public(public: School) -> None:
    for path in (SITE, DOOR):
        answer = page(public, path).text
        for secret in (str(LIVE_FACES), "device-r101", "1.2.3", "tess", "otto", "csrftoken"):
            assert secret not in answer, secret
        assert not re.search(r"\b(live|offline|paused)\b", answer)


def test_it_is_the_same_for_all_and_may_be_kept(public: School) -> None:
    anonymous = page(public)
    with public.as_person("ann") as ann:
        signed_in = ann.get(SITE, headers={"authorization": "Bearer x"})
        assert "set-cookie" not in signed_in.headers
        assert ann.get("/retention").status_code == 200  # she is still signed in elsewhere
    assert signed_in.text == anonymous.text
    for answer in (anonymous, signed_in):
        assert answer.headers["cache-control"] == "public, max-age=300"
        assert "cookie" not in answer.headers["vary"].lower()
        assert "Accept-Language" in answer.headers["vary"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    missing = page(public, "/about/other")
    assert "set-cookie" not in missing.headers
    assert missing.headers["cache-control"] == "no-store"


def test_a_language_is_chosen_by_address_or_by_browser(public: School) -> None:
    for language in LANGUAGES:
        heading = words(language)["about"]["heading"].format("Kowhai School")
        by_browser = page(public, **{"accept-language": f"{language}-XX,ja;q=0.5"})
        assert heading in by_browser.text
        by_address = page(public, f"{SITE}?lang={language}", **{"accept-language": "ja"})
        assert heading in by_address.text
    assert page(public, f"{SITE}?lang={'x' * 99}").status_code == 200


def test_its_code_leads_to_itself(public: School) -> None:
    for path in (SITE, DOOR):
        drawing = re.search(r"<svg.*?</svg>", page(public, path).text, re.DOTALL)
        assert drawing is not None
        assert read_qr(drawing.group(0)) == f"{public.service.url}{path}"


def read_qr(svg: str) -> str:
    """By drawing the squares that the path runs over, and a reader of codes."""
    (side,) = re.findall(r'viewBox="0 0 (\d+) \d+"', svg)
    dark = np.full((int(side), int(side)), 255, np.uint8)
    (path,) = re.findall(r'stroke="#000" class="[^"]*" d="([^"]+)"|d="(M2 2[^"]+)"', svg)
    x, y = 0.0, 0.0
    for kind, numbers in re.findall(r"([Mmh])([-\d. ]+)", "".join(path)):
        values = [float(one) for one in numbers.split()]
        if kind == "h":
            dark[int(y), int(x) : int(x + values[0])] = 0
            x += values[0]
        else:
            x, y = (values[0], values[1]) if kind == "M" else (x + values[0], y + values[1])
    picture = cv2.resize(dark, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    return cv2.QRCodeDetector().detectAndDecode(picture)[0]


def test_an_attestation_that_devices_would_refuse_is_nobodys_authority(tmp_path: Path) -> None:
    cases: dict[str, dict[str, Any]] = {
        "forged": {},
        "ended": {"first_day": date(2020, 1, 1), "last_day": date(2020, 6, 1)},
        "elsewhere": {"site": "other"},
        "no file": {},
        "another key": {},
    }
    for name, changes in cases.items():
        folder = tmp_path / name
        folder.mkdir()
        key = Ed25519PrivateKey.generate()
        settings = public_settings(folder, key)
        path = folder / "signed.yaml"
        if name == "no file":
            path.unlink()
        elif name == "forged":
            path.write_text(path.read_text().replace("Carla Ruiz", "Mallory Ruiz"))
        elif name == "another key":
            path.write_text(attestation(Ed25519PrivateKey.generate()))
        else:
            path.write_text(attestation(key, **changes))
        with School(folder, **settings) as server:
            server.service.rooms.update_status(status())
            content = text(page(server))
        assert "Ruiz" not in content, name
        assert "The device holds an authorisation; it is not on this server." in content


def test_a_device_that_was_not_heard_and_one_that_films_nobody_are_said_so(tmp_path: Path) -> None:
    with School(tmp_path, **public_settings(tmp_path)) as server:
        server.windows(OWN)
        server.service.rooms.update_status(status("r102", because="exempt_source"))
        content = text(page(server))
        assert "Room 101 Not known at present: the device has not reported" in content
        assert "Library A simulated or recorded class: nobody is filmed" in content
        assert "Library: a made-up class is counted here" in text(
            page(server, "/about/school/r102")
        )


def test_texts_of_the_school_are_text(tmp_path: Path) -> None:
    from weasyprint import HTML

    nasty = "<script>alert(1)</script>\"'{{ 7 * 7 }}{0}"
    settings = public_settings(tmp_path, title=nasty, purpose=nasty, legal_basis=nasty)
    settings["rooms"] = {"r101": {"title": nasty[:80]}}
    with School(tmp_path, **settings) as server:
        server.service.rooms.update_status(status())
        for path in (SITE, DOOR):
            answer = page(server, path)
            assert answer.status_code == 200
            assert "<script>" not in answer.text
            assert "{{ 7 * 7 }}{0}" in answer.text
            HTML(string=answer.text)


def test_who_asks_too_often_waits(public: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(about, "A_MINUTE", 3)
    assert [page(public).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    assert page(public, "/about/other").status_code == 429


def test_many_readers_cost_the_database_nothing(public: School) -> None:
    page(public)
    public.engine.dispose()
    statements: list[str] = []
    from sqlalchemy import event

    engine = public.service.erasures.engine
    event.listen(engine, "before_cursor_execute", lambda *a: statements.append(str(a[2])))
    for path in (SITE, DOOR, "/about/other"):
        page(public, path)
    assert [one for one in statements if "session" in one or "bundle" in one] == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"responsible": {"name": "A", "role": "B"}}, "nobody can reach them"),
        ({"site_key": None}, "nothing to check its attestations with"),
        ({"purpose": {"xx": "no such language"}}, "purpose"),
        ({"purpose": {}}, "purpose"),
        ({"legal_basis": ""}, "legal_basis"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    page_settings = PAGE | {"attestations": ["a.yaml"], "site_key": "site.pub"} | changes
    with pytest.raises(UserError, match=says):
        validate(CollectorSettings, {"public": {"school": page_settings}}, tmp_path / "c.yaml")


def test_what_is_shown_of_the_settings_can_be_read_again(tmp_path: Path) -> None:
    import yaml

    settings = CollectorSettings.model_validate({"public": {"school": PAGE}})
    again = CollectorSettings.model_validate(yaml.safe_load(show(settings)))
    assert again.public == settings.public
