"""Chromium on a screen or a phone, light or dark; screenshots go under build/."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.collector.school import PASSWORD
from tests.conftest import ROOT

SHOTS = ROOT / "build" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
"""As people have it."""

SHELL = "/usr/bin/chromium-headless-shell"
"""Debian's Chromium of the same version without its windows and menus, which no test looks at and
each page pays for: what lays out, draws, connects and runs scripts is the same, for a third of the
processor's time."""

ARGUMENTS = [
    "--no-sandbox",  # tests may run as root, where Chromium's own sandbox refuses to
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@contextmanager
def running_browser(program: str = SHELL) -> Iterator[Browser]:
    """Ends with the block."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=30_000)  # two busy cores; what is expected comes, but not when
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


def context(
    browser: Browser, dark: bool = False, phone: bool = False, **more: Any
) -> BrowserContext:
    new_context = browser.new_context(
        color_scheme="dark" if dark else "light",
        viewport={"width": 360, "height": 740} if phone else {"width": 1280, "height": 900},
        **more,
    )
    new_context.set_default_timeout(30_000)
    return new_context


def sign_in(page: Page, url: str, name: str, password: str = PASSWORD) -> None:
    """On the collector's page at `url`."""
    page.goto(f"{url}/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
