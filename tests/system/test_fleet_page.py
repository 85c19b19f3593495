"""IT's page in a real browser: a code, an approval, what is wrong, an update, the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from importlib.metadata import version
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from playwright.sync_api import Browser, Locator, Page, expect

from deploy.commands.bundling import gather
from edge.common.errors import UserError
from edge.device.sync import DeviceSync
from edge.protocol.bundle import pack_up
from edge.protocol.code import Code
from edge.protocol.messages import Health, Status
from edge.vision.pack import PACKS
from tests.collector.school import PASSWORD
from tests.conftest import mood
from tests.fleet import SITE, Site
from tests.free import wait
from tests.system.browser import SHOTS, context, sign_in

pytestmark = pytest.mark.once


@pytest.fixture
def it(chromium: Browser, site: Site) -> Iterator[Page]:
    """IT, signed in, with the browser told to trust the site's authority."""
    accounts = site.service.accounts
    if accounts.is_empty():
        accounts.add("ian", "it", (), PASSWORD)
    browsing = context(chromium, ignore_https_errors=True)
    page = browsing.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    sign_in(page, site.url, "ian")
    page.get_by_role("link", name="Devices").click()
    yield page
    browsing.close()
    assert wrong == []


def publish_status(site: Site, room: str, **health: object) -> None:
    """What a device of the room would have told a moment ago."""
    fields = {
        "version": version("roommood"),
        "uptime_s": 90_000,
        "frames_per_s": 2.0,
        "ms_per_frame": 61.0,
        "waiting": 0,
        "mode": "emotion",
        "because": "attested",
        "model": "0123456789ab",
        "temperature_c": 52.1,
    }
    now = datetime.now(timezone.utc)
    status = {"site": SITE, "room": room, "device": room, "boot": uuid4(), "state": "online"}
    report = Health.model_validate(fields | health)
    site.service.rooms.update_status(
        Status.model_validate(
            {"schema": "roommood.status/1", "at": now, "health": report, **status}
        )
    )
    site.service.rooms.update_mood(mood(room=room, device=room, start=now), now.timestamp())


def cause(page: Page, room: str) -> Locator:
    """The part of the table in which a room's row is: it says what is wrong, and what to do."""
    return page.locator("tbody", has=page.locator("tr:not(.cause) th", has_text=room))


def answer(page: Page, question: str) -> None:
    """Says yes to what is asked before anything happens."""
    expect(page.locator("h1")).to_have_text(question)
    page.locator("#confirm").click()


def _updates_and_the_end(it: Page) -> None:
    it.get_by_role("button", name="Offer to all").click()
    answer(it, "Offer update 1 to all devices?")
    expect(it.locator("main")).to_contain_text("offered to all")
    it.get_by_role("button", name="Withdraw").click()
    answer(it, "Withdraw update 1?")
    expect(it.locator("main")).to_contain_text("withdrawn")
    it.get_by_role("button", name="Revoke r101").click()
    expect(it.locator("h1")).to_have_text("Revoke the device of school/r101?")
    it.screenshot(path=SHOTS / "fleet-question.png")
    it.get_by_role("link", name="Leave it as it is").click()
    expect(cause(it, "r101")).to_contain_text("No problems")
    it.get_by_role("button", name="Revoke r101").click()
    answer(it, "Revoke the device of school/r101?")
    expect(cause(it, "r101")).to_contain_text("Certificate revoked")


def test_from_a_code_to_a_device_and_its_end(it: Page, site: Site) -> None:
    expect(it.locator("main")).to_contain_text("No device is enrolled yet.")
    it.get_by_label("Room").fill("r101")
    it.get_by_role("button", name="Create code").click()
    code = it.locator(".code").inner_text()
    expect(it.get_by_role("img", name="QR code")).to_be_visible()
    it.screenshot(path=SHOTS / "fleet-invite.png", full_page=True)

    state, request_event = site.folder / "page-device", threading.Event()
    device = threading.Thread(target=lambda: site.enrol(state, Code(code), request_event.set))
    device.start()
    assert request_event.wait(60)
    it.get_by_role("link", name="Devices").click()
    fingerprint = site.fleet.invitations.pending()[0].fingerprint
    expect(it.locator("main")).to_contain_text(fingerprint)
    it.screenshot(path=SHOTS / "fleet-approve.png", full_page=True)
    it.get_by_role("button", name="Approve r101").click()
    device.join(60)
    DeviceSync(state).run()
    expect(cause(it, "r101")).to_contain_text("nothing has come from it")

    for room in ("r102", "r103", "r104"):
        site.enrol_device(room)
    publish_status(site, "r101")
    publish_status(site, "r102", frames_per_s=0.0)
    publish_status(site, "r103", temperature_c=84.5, throttled=["throttled"])
    secret = load_pem_private_key((site.place.folder / "signing/site.key").read_bytes(), None)
    assert isinstance(secret, Ed25519PrivateKey)
    update = pack_up(SITE, 1, gather(PACKS / "fer7-small", None, ()), "the small model", secret)
    site.fleet.upload(update, ["r101"], "ian")
    it.reload()
    expect(cause(it, "r101")).to_contain_text("No problems")
    expect(cause(it, "r102")).to_contain_text("Check the camera's cable")
    expect(it.get_by_role("row", name="r103").last).to_contain_text(
        "80.0 °C"
    )  # 84.5 where faces are known
    expect(cause(it, "r104")).to_contain_text("nothing has come from it")
    expect(it.get_by_role("link", name="No problems 1")).to_be_visible()
    it.screenshot(path=SHOTS / "fleet.png", full_page=True)
    it.get_by_role("link", name="It is too hot").click()
    expect(it.locator("tbody tr:not(.cause)")).to_have_count(1)
    it.get_by_role("link", name="All 4").click()
    it.get_by_role("switch", name="Camera is on r101").click()
    expect(it.locator("#told")).to_contain_text("r101: Turning the camera off")
    _updates_and_the_end(it)
    wait(lambda: "r101" in site.log_of("device revoked")[0])


@pytest.mark.parametrize(("dark", "phone"), [(False, False), (True, True)])
def test_axe_finds_nothing(it: Page, site: Site, dark: bool, phone: bool) -> None:
    it.emulate_media(color_scheme="dark" if dark else "light")
    it.set_viewport_size({"width": 360, "height": 740} if phone else {"width": 1280, "height": 900})
    it.get_by_label("Room").fill("r109")
    it.get_by_role("button", name="Create code").click()
    state, request_event = site.folder / f"axe-{dark}", threading.Event()
    code = Code(it.locator(".code").inner_text())
    device = threading.Thread(target=lambda: site.enrol(state, code, request_event.set))
    device.start()
    assert request_event.wait(60)
    it.reload()  # sends the form no more: the code is gone, and somebody waits
    expect(it.locator(".code")).to_have_count(0)
    name = "phone-dark" if phone else "desktop-light"
    it.screenshot(path=SHOTS / f"page-devices-{name}.png", full_page=True)
    findings = Axe().run(it)
    assert findings.response["violations"] == [], findings.generate_report()
    wide = it.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
    assert not wide
    site.approve((SITE, "r109"))
    device.join(60)


def test_a_device_is_refused_after_a_question(it: Page, site: Site) -> None:
    code = site.fleet.invite((SITE, "r120"), "ian", 900)
    failures: list[str] = []

    def enrol() -> None:
        try:
            site.enrol(site.folder / "refused", code, request_event.set)
        except UserError as error:
            failures.append(str(error))

    request_event = threading.Event()
    device = threading.Thread(target=enrol)
    device.start()
    assert request_event.wait(60)
    it.reload()
    it.get_by_role("button", name="Refuse r120").click()
    expect(it.locator("h1")).to_have_text("Refuse the device asking for r120?")
    assert [one.room for one in site.fleet.invitations.pending()] == [(SITE, "r120")]
    it.locator("#confirm").click()
    expect(it.locator("h1")).to_contain_text("Devices")
    device.join(60)
    assert failures
    assert site.fleet.invitations.pending() == []


def test_a_room_that_is_none_is_refused_in_words(it: Page) -> None:
    it.get_by_label("Room").fill("elsewhere/r101")
    it.get_by_role("button", name="Create code").click()
    expect(it.locator("#wrong")).to_contain_text("not a room of site 'school'")
