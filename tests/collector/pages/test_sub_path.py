"""Pages below a path of a reverse proxy: every address that goes out leads back in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from pydantic import ValidationError

from collector.access.script import token_for
from collector.config import WebSettings
from collector.pages.sub_path import OWN, OWN_PATHS, SubPath
from edge.common.errors import UserError
from tests.collector.nginx import Nginx
from tests.collector.public import PAGE
from tests.collector.school import OWN as ROOM
from tests.collector.school import PASSWORD, School, token_in
from tests.conftest import ROOT

pytestmark = pytest.mark.once

TEMPLATES = ROOT / "collector" / "templates"

WAYS = [
    ("/mood", "", True, True),
    ("/mood", "/", False, True),
    ("/school/mood", "", False, False),
    ("", "/", False, True),
]
"""The path, what the settings write behind it, whether the proxy takes it off, and whether it
passes on by which name it was asked."""


@pytest.fixture(scope="module", params=WAYS, ids=lambda way: f"{way[0]}{way[1]}-{way[2]}-{way[3]}")
def places(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[School, Nginx]]:
    """A collector with one person and one room, and the nginx before it."""
    base, slash, strips, keeps_host = request.param
    folder = tmp_path_factory.mktemp("places")
    with Nginx(folder, base, strips=strips, keeps_host=keeps_host) as nginx:
        web = {"port": nginx.behind, "url": f"{nginx.url}{slash}", "proxies": ["127.0.0.1"]}
        with School(folder, web=web, public={"school": PAGE}) as school:
            ann = school.service.accounts.add("ann", "administrator", (), PASSWORD)
            school.people["ann"] = ann
            school.windows(ROOM)
            school.lesson(teacher="ann")
            yield school, nginx


@pytest.fixture
def school(places: tuple[School, Nginx]) -> School:
    return places[0]


@pytest.fixture
def nginx(places: tuple[School, Nginx]) -> Nginx:
    return places[1]


def base_of(nginx: Nginx) -> str:
    return urlsplit(nginx.url).path


def addresses(page: str) -> Iterator[tuple[str, str]]:
    """What a page's attributes lead to, but for places within it."""
    for kind, address in re.findall(r'\b(href|src|action|data-live)="([^"#][^"]*)"', page):
        yield kind, unescape(address)


def outside(nginx: Nginx) -> httpx.Client:
    """As people's browsers: it knows the host, and nothing of a path."""
    return httpx.Client(base_url=f"http://127.0.0.1:{nginx.port}", timeout=20)


def sign_in(client: httpx.Client, base: str, after: str) -> httpx.Response:
    token = token_in(client.get(f"{base}/sign-in").text)
    form = {"name": "ann", "password": PASSWORD, "next": after, "csrftoken": token}
    return client.post(f"{base}/sign-in", data=form)


def test_every_address_of_every_page_leads_back_in(school: School, nginx: Nginx) -> None:
    (lesson,) = school.repository.running()
    base, own = base_of(nginx), f"/lessons/{lesson.id}"
    paths: set[str] = set()
    with outside(nginx) as client:
        assert sign_in(client, base, own).headers["location"] == f"{base}{own}"
        queue = [f"{base}{path}" for path in ("/", own, f"/check/{lesson.code}", "/nowhere")]
        while queue:
            here = queue.pop()
            if (path := here.partition("?")[0]) in paths:
                continue
            paths.add(path)
            with client.stream("GET", here) as answer:
                kind = answer.headers["content-type"].partition(";")[0]
                assert answer.status_code == (404 if "nowhere" in here else 200), here
                if kind == "text/event-stream":
                    assert next(answer.iter_lines())
                elif kind == "text/html":
                    for attribute, address in addresses(answer.read().decode()):
                        assert address.startswith(f"{base}/"), (here, attribute, address)
                        queue += [] if attribute == "action" else [address]
    routes = {path.removeprefix(base) for path in paths}
    room = f"/rooms/{ROOM[0]}/{ROOM[1]}"
    assert {"/", "/lessons", "/audit", "/static/style.css", "/static/live.js"} <= routes
    assert {"/about/school", "/about/school/r101", "/static/about.css"} <= routes
    assert {room, f"{room}/live", f"{room}/wall", f"{own}/report.pdf", "/account"} <= routes


def test_redirects_and_cookies_stay_below_the_path(school: School, nginx: Nginx) -> None:
    base = base_of(nginx)
    secret = school.service.sessions.make_link("ann", 60, ROOM, account=school.people["ann"].id)
    cookies: list[str] = []
    with outside(nginx) as client:
        client.event_hooks["response"] = [
            lambda answer: cookies.extend(answer.headers.get_list("set-cookie"))
        ]
        for path, to in (
            (f"{base}/lessons", f"{base}/sign-in?next=/lessons"),
            (f"{base}/lessons/", f"{base}/lessons"),
            (f"{base}/enter/{secret}", f"{base}/rooms/{'/'.join(ROOM)}"),
        ):
            answer = client.get(path)
            assert answer.headers.get("location") == to, answer.text
        sign_in(client, base, "/")
        form = {"csrftoken": client.cookies["csrftoken"], "language": "de", "back": "/lessons"}
        answer = client.post(f"{base}/language", data=form)
        assert answer.headers["location"] == f"{base}/lessons"
        assert 'lang="de"' in client.get(f"{base}/lessons").text
    assert {cookie.partition("=")[0] for cookie in cookies} >= {"csrftoken", "roommood", "language"}
    paths = [re.findall(r"(?i); path=([^;]*)", cookie) for cookie in cookies]
    assert all(path == [base or "/"] for path in paths), cookies


def test_whoever_scripts_or_installs_it_finds_all_below_the_path(
    school: School, nginx: Nginx
) -> None:
    base = base_of(nginx)
    room = "/".join(ROOM)
    token = {"authorization": f"Bearer {token_for(school.engine)}"}
    with outside(nginx) as client:
        moods = client.get(f"{base}/api/rooms/{room}/moods?limit=2", headers=token)
        (following,) = re.findall(r"<([^>]*)>", moods.headers["link"])
        assert following.startswith(f"{base}/api/")
        assert len(client.get(following, headers=token).json()) == 2
        servers = client.get(f"{base}/api/openapi.json", headers=token).json().get("servers")
        assert servers == ([{"url": base}] if base else None)
        icons = f"http://127.0.0.1:{nginx.port}{base}/static/manifest.webmanifest"
        manifest = client.get(icons).json()
        assert urlsplit(urljoin(icons, manifest["start_url"])).path == f"{base}/"
        for icon in manifest["icons"]:
            assert client.get(urljoin(icons, icon["src"])).status_code == 200


def test_addresses_for_people_are_the_ones_outside(school: School, nginx: Nginx) -> None:
    (lesson,) = school.repository.running()
    base, url = base_of(nginx), nginx.url.rstrip("/")
    with outside(nginx) as client:
        sign_in(client, base, "/")
        page = client.get(f"{base}/rooms/{'/'.join(ROOM)}").text
        assert f"{url.removeprefix('http://')}/check<" in page
        assert lesson.code is not None
        assert lesson.code in page
        token = token_in(page)
        client.post(f"{base}/rooms/{'/'.join(ROOM)}/links", data={"csrftoken": token, "hours": "1"})
        page = client.get(f"{base}/rooms/{'/'.join(ROOM)}").text
        (link,) = re.findall(rf"{re.escape(url)}/enter/[\w-]+", page)
        with outside(nginx) as guest:
            assert guest.get(urlsplit(link).path).headers["location"].startswith(f"{base}/rooms/")


def test_no_template_has_an_address_that_nobody_mends() -> None:
    for template in sorted(TEMPLATES.glob("*.html")):
        text = OWN.sub("", template.read_text(encoding="utf-8"))
        left = re.findall(r'[\w-]+="(?:/|\{\{ path \}\})[^"]*"', text)
        # A form's field says where to go back to, and the redirect gets the path; `d` draws.
        assert [one for one in left if not one.startswith(("value=", "d="))] == [], template.name


@pytest.mark.parametrize(
    "url",
    ["https://a.example", "https://a.example/", "https://a.example/mood/", "http://[::1]:80/a/b//"],
)
def test_a_slash_at_the_end_means_nothing(url: str) -> None:
    web = WebSettings.model_validate({"url": url})
    assert web.url == url.rstrip("/")
    assert web.base == urlsplit(url).path.rstrip("/")


@pytest.mark.parametrize("bad", ["/a?b=c", "/a#b", "/a//b", "/a b", "/..", "/a/../b", "/%2e"])
def test_what_is_no_path_is_refused(bad: str) -> None:
    with pytest.raises(ValidationError, match="url"):
        WebSettings.model_validate({"url": f"https://a.example{bad}"})


@pytest.mark.parametrize("first", sorted(OWN_PATHS))
def test_a_path_of_the_collectors_own_is_refused(first: str) -> None:
    with pytest.raises(UserError, match=f"begins with '{first}'"):
        SubPath(None, f"/{first}/mood")
