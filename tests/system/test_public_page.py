"""The public page in a real browser: four languages, phone, dark, on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from collector.pages.words import LANGUAGES, words
from tests.collector.public import public_settings, status
from tests.collector.school import School
from tests.system.browser import SHOTS, context
from tests.system.test_pages import ALL_RULES, LOOKS, ONLY_WRONG

pytestmark = pytest.mark.once

PATHS = ("/about/school", "/about/school/r101", "/about/school/r102")


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    folder: Path = tmp_path_factory.mktemp("public")
    with School(folder, **public_settings(folder)) as server:
        server.service.rooms.update_status(status())
        server.service.rooms.update_status(
            status("r102", mode="headcount", because="no_attestation", fitted=[])
        )
        yield server


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_read_in_every_language_and_on_every_screen(
    chromium: Browser, public: School, language: str, phone: bool, dark: bool
) -> None:
    browsing = context(chromium, dark, phone, locale=language)
    page = browsing.new_page()
    findings: list[str] = []
    rules = {"type": "rule", "values": LOOKS} if dark or phone else ALL_RULES
    for path in PATHS:
        page.goto(public.service.url + path)
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator("h2").last).to_have_text(words(language)["about"]["who"])
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        findings += [f"{path}: {wide} px too wide"] if wide > 0 else []
        answer = Axe().run(page, options={"runOnly": rules} | ONLY_WRONG)
        findings += [
            f"{path}: {one['id']}: {node['html'][:150]}"
            for one in answer.response["violations"]
            for node in one["nodes"]
        ]
        look = f"{'phone' if phone else 'desktop'}-{'dark' if dark else 'light'}"
        name = path.strip("/").replace("/", "-")
        page.screenshot(path=SHOTS / f"{name}-{language}-{look}.png", full_page=True)
    assert page.context.cookies() == []
    browsing.close()
    assert findings == []


def test_without_scripts_a_language_is_chosen_by_a_link(chromium: Browser, public: School) -> None:
    browsing = context(chromium, locale="fr", java_script_enabled=False)
    page = browsing.new_page()
    page.goto(f"{public.service.url}/about/school")
    page.get_by_role("link", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator("main")).to_contain_text("Montag bis Freitag, 8:30 bis 15 Uhr")
    page.get_by_role("link", name="Library").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator("h1")).to_have_text("Library: Hier werden Gesichter gezählt")
    browsing.close()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PATHS)
def test_it_is_one_sheet_of_paper(
    chromium: Browser, public: School, tmp_path: Path, path: str, language: str
) -> None:
    browsing = context(chromium)
    page = browsing.new_page()
    page.goto(f"{public.service.url}{path}?lang={language}")
    paper = tmp_path / "notice.pdf"
    page.pdf(path=paper, prefer_css_page_size=True)
    page.set_viewport_size({"width": 688, "height": 1032})  # of A4 without its margins
    page.emulate_media(media="print", color_scheme="light")
    page.screenshot(path=SHOTS / f"paper-{path.strip('/').replace('/', '-')}-{language}.png")
    browsing.close()
    assert len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes())) == 1


def test_a_name_without_a_blank_makes_no_phone_scroll_sideways(
    chromium: Browser, tmp_path: Path
) -> None:
    settings = public_settings(tmp_path, title="W" * 280, hours="x" * 299)
    settings["rooms"] = {"r101": {"title": "Donaudampfschifffahrtsgesellschaftskapitaenszimmer"}}
    with School(tmp_path, **settings) as server:
        server.service.rooms.update_status(status())
        browsing = context(chromium, phone=True)
        page = browsing.new_page()
        for path in PATHS[:2]:
            page.goto(server.service.url + path)
            wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, path
        browsing.close()
