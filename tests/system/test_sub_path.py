"""A browser at a collector that a reverse proxy shows below a path."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, expect

from edge.device.enrol import about
from edge.device.sync import DeviceSync
from tests.collector.nginx import Nginx
from tests.collector.school import PASSWORD, School
from tests.conftest import Mosquitto
from tests.fleet import Site
from tests.room_device import CALM, LIVELY, PlayedDevice
from tests.system.browser import context, sign_in

pytestmark = pytest.mark.once


def test_the_live_page_lives_below_a_path(
    chromium: Browser, broker: Mosquitto, tmp_path: Path
) -> None:
    with Nginx(tmp_path, "/mood", strips=True) as nginx:
        web = {"port": nginx.behind, "url": f"{nginx.url}/"}
        with School(tmp_path, broker.port, web=web) as school, PlayedDevice(broker.port) as device:
            school.service.accounts.add("ann", "administrator", (), PASSWORD)
            device.window(LIVELY, 15)
            browsing = context(chromium)
            page = browsing.new_page()
            wrong: list[str] = []
            page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
            page.on("requestfailed", lambda asked: wrong.append(asked.url))
            page.on("response", lambda got: wrong.append(got.url) if got.status >= 400 else None)
            sign_in(page, nginx.url, "ann")
            page.get_by_role("link", name="r101").click()
            expect(page.locator("#faces")).to_have_text("22")
            device.window({**CALM, "neutral": 18})
            expect(page.locator("#faces")).to_have_text("25")
            assert page.url == f"{nginx.url}/rooms/school/r101"
            page.get_by_role("button", name="Deutsch").click()
            expect(page.locator("html")).to_have_attribute("lang", "de")
            assert page.url == f"{nginx.url}/rooms/school/r101"
            browsing.close()
            assert [one for one in wrong if not one.endswith("/live")] == []


def test_a_device_enrols_at_an_address_with_a_path(tmp_path: Path) -> None:
    site = Site(tmp_path)
    content = yaml.safe_load(site.config.read_text())
    content["web"]["url"] += "/mood"
    site.config.write_text(yaml.safe_dump(content))
    site.url += "/mood"
    with site:
        state = site.enrol_device()
        assert about(state).collector == site.url
        assert DeviceSync(state).run() == []  # it reports, and nothing is due
