"""Updates on a real agent, with a real broker and collector: kept, refused, or rolled back."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from deploy.commands.bundling import gather
from edge.common.errors import UserError
from edge.device.slots import Updates, UpdateState
from edge.device.sync import DeviceSync
from edge.protocol.bundle import pack_up
from edge.protocol.device_api import FAILURES, DeviceReport
from edge.vision.pack import PACKS, open_pack
from tests.fleet import SITE, Site
from tests.free import wait

pytestmark = pytest.mark.once

ROOM = (SITE, "r101")
SMALL = open_pack("fer7-small")[0].digest
USUAL = open_pack("fer7")[0].digest


class Device:
    """An enrolled device whose agent is started again whenever it ends, as systemd does."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.state = site.enrol_device("r101")
        self.config = self.state.with_suffix(".yaml")
        own = {"enrolled": str(self.state), "camera": "sim:seats=12,seed=1", "window_seconds": 1}
        self.config.write_text(yaml.safe_dump(own))
        self._ending = threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        command = [
            sys.executable,
            "-m",
            "deploy.commands.cli",
            "agent",
            "run",
            "--config",
            str(self.config),
        ]
        with self.config.with_suffix(".log").open("ab") as log:
            while not self._ending.is_set():
                self.process = subprocess.Popen(command, stderr=log)
                self.starts += 1
                self.process.wait()

    def stop(self) -> None:
        self._ending.set()
        if self.process is not None:
            self.process.terminate()
        self._thread.join(60)

    @property
    def slots(self) -> UpdateState:
        return Updates(self.state).update_state()

    def sync(self) -> list[str]:
        return DeviceSync(self.state).run()

    def model(self) -> str | None:
        """What the newest window was read with, as the collector has it."""
        mood = self.site.service.rooms.view(*ROOM).mood
        return None if mood is None else mood.model


@pytest.fixture(scope="module")
def device(site: Site) -> Iterator[Device]:
    new_device = Device(site)
    wait(lambda: new_device.model() == USUAL, 60)
    yield new_device
    new_device.stop()


@pytest.fixture(scope="module")
def key(site: Site) -> Ed25519PrivateKey:
    secret = (site.place.folder / "signing" / "site.key").read_bytes()
    private = load_pem_private_key(secret, None)
    assert isinstance(private, Ed25519PrivateKey)
    return private


def offer(site: Site, data: bytes, *canaries: str) -> int:
    return site.fleet.upload(data, list(canaries), "ian")


def force(site: Site, number: int, data: bytes) -> None:
    """An update that the collector would not take, put into its database all the same."""
    row = {
        "number": number,
        "site": SITE,
        "sha256": hashlib.sha256(data).hexdigest(),
        "content": base64.b64encode(data).decode(),
    }
    with site.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO bundle (number, site, sha256, content, note, canaries, state, at) "
            "VALUES (:number, :site, :sha256, :content, '', '[]', 'everywhere', 0)",
            row,
        )


def settings(key: Ed25519PrivateKey, number: int, **content: object) -> bytes:
    files = {"settings.yaml": yaml.safe_dump(content).encode()}
    return pack_up(SITE, number, files, "", key)


def test_a_pack_is_tried_in_the_canary_room_kept_and_then_offered_to_all(
    site: Site, device: Device, key: Ed25519PrivateKey
) -> None:
    other = site.enrol_device("r102")
    files = gather(PACKS / "fer7-small", None, ())
    offer(site, pack_up(SITE, 1, files, "the small one", key), "r101")
    assert DeviceSync(other).run() == []  # it is no canary
    assert device.sync() == ["update 1: to be tried at the next window"]
    wait(lambda: device.model() == SMALL, 60)
    wait(lambda: device.slots.current == 1)
    device.sync()
    catalog = site.fleet.catalog
    assert catalog.all()[0].state == "everywhere"
    catalog.set_stage(SITE, 1, "canary")  # with two canaries it waits for the other
    report = DeviceReport(version="1", hardware="", bundle=1)
    two = {"r101": 1, "r102": None}
    with site.engine.begin() as connection:
        connection.exec_driver_sql('UPDATE bundle SET canaries = \'["r101", "r102"]\'')
    assert catalog.apply_report(ROOM, report, two) is None
    assert catalog.apply_report(ROOM, report, two | {"r102": 1}) is not None
    assert DeviceSync(other).run() == ["update 1: to be tried at the next window"]


def test_settings_are_laid_over_the_machines_own(
    site: Site, device: Device, key: Ed25519PrivateKey
) -> None:
    before = device.starts
    offer(site, settings(key, 2, frames_per_second=3, model="fer7"))
    device.sync()
    wait(lambda: device.slots.current == 2, 60)
    assert device.starts == before + 1
    output = subprocess.run(
        [
            *(sys.executable, "-m", "deploy.commands.cli"),
            "agent",
            "show-config",
            "--config",
            device.config,
        ],
        capture_output=True,
        check=True,
        text=True,
    )
    assert yaml.safe_load(output.stdout)["frames_per_second"] == 3
    assert yaml.safe_load(output.stdout)["camera"] == "sim:seats=12,seed=1"


@pytest.mark.parametrize("what", ["unsigned", "damaged", "downgraded", "another site's"])
def test_what_is_not_the_sites_own_is_refused_and_the_old_one_goes_on(
    site: Site, device: Device, key: Ed25519PrivateKey, what: str
) -> None:
    number = 10 + ["unsigned", "damaged", "downgraded", "another site's"].index(what)
    good = gather(PACKS / "fer7-small", None, ())
    forger = Ed25519PrivateKey.generate()
    data, why = {
        "unsigned": (pack_up(SITE, number, good, "", forger), "not signed with the site's key"),
        "damaged": (
            pack_up(SITE, number, good, "", key).replace(b"TFL3", b"TFL4", 1),
            "model.tflite is damaged",
        ),
        "downgraded": (pack_up(SITE, 1, good, "", key), "its number is not the one"),
        "another site's": (pack_up("other", number, good, "", key), "made for site 'other'"),
    }[what]
    with pytest.raises(UserError, match=r"has been used|damaged|not signed|made for"):
        offer(site, data)
    force(site, number, data)
    before = device.starts
    result = device.sync()
    assert why in result[0]
    assert (device.slots.current, device.slots.trying) == (2, None)
    assert device.slots.refused == number
    assert device.starts == before
    row = json.loads(site.run("list", "--json")[1].splitlines()[0])
    assert row["fault"] == "update_refused"
    assert row["about"] == f"{number}: {FAILURES['damaged']}"


def test_a_lower_number_is_a_downgrade(device: Device) -> None:
    assert "a downgrade" in str(Updates(device.state).refusal(1))


def test_a_model_that_cannot_be_run_is_not_even_tried(
    site: Site, device: Device, key: Ed25519PrivateKey
) -> None:
    folder = site.folder / "broken"
    shutil.copytree(PACKS / "fer7-small", folder)
    model = (folder / "model.tflite").read_bytes()
    cut_model = model[:60_000] + bytes(len(model) - 60_000)
    (folder / "model.tflite").write_bytes(cut_model)
    pack = (folder / "pack.yaml").read_text()
    digests = (hashlib.sha256(model).hexdigest(), hashlib.sha256(cut_model).hexdigest())
    (folder / "pack.yaml").write_text(pack.replace(*digests))
    offer(site, pack_up(SITE, 20, gather(folder, None, ()), "", key), "r101")
    before = device.starts
    assert "its model cannot be run" in device.sync()[0]
    assert device.starts == before
    assert site.fleet.catalog.all()[-1].state == "withdrawn"


def test_what_crashes_the_agent_is_rolled_back(
    site: Site, device: Device, key: Ed25519PrivateKey
) -> None:
    """More memory than it may have: the agent ends itself, as a crash would end it."""
    offer(site, settings(key, 21, supervision={"memory_mb": 100}), "r101")
    device.sync()
    wait(lambda: device.slots.refused == 21, 60)
    assert (device.slots.current, device.slots.trying) == (2, None)
    newest = site.service.rooms.view(*ROOM).mood
    wait(lambda: site.service.rooms.view(*ROOM).mood != newest)
    device.sync()
    assert site.fleet.catalog.all()[-1].state == "withdrawn"
    assert any("21, after school/r101: withdrawn" in one for one in site.log_of("update moved"))


def test_what_kills_the_agent_twice_is_rolled_back(
    site: Site, device: Device, key: Ed25519PrivateKey
) -> None:
    offer(site, settings(key, 22, window_seconds=3600), "r101")
    device.sync()
    wait(lambda: device.slots.starts == 1)
    for starts in (2, 0):
        assert device.process is not None
        device.process.kill()
        wait(lambda starts=starts: device.slots.starts == starts)  # type: ignore[misc]  # bound at once
    assert device.slots.refused == 22
    assert "did not get through one window" in device.slots.because
    newest = site.service.rooms.view(*ROOM).mood
    wait(lambda: site.service.rooms.view(*ROOM).mood != newest)


def test_a_camera_that_gives_nothing_is_rolled_back(
    site: Site, device: Device, key: Ed25519PrivateKey
) -> None:
    offer(site, settings(key, 23, camera="usb:63"), "r101")
    device.sync()
    wait(lambda: device.slots.refused == 23, 60)
    assert "no frame in 2 windows" in device.slots.because


def test_settings_that_are_wrong_are_rolled_back_in_the_same_start(
    site: Site, device: Device, key: Ed25519PrivateKey
) -> None:
    offer(site, settings(key, 24, frames_per_second=0), "r101")
    device.sync()
    wait(lambda: device.slots.refused == 24)
    assert "frames_per_second" in device.slots.because


def test_an_update_cannot_change_who_the_device_is(
    site: Site, device: Device, key: Ed25519PrivateKey
) -> None:
    offer(site, settings(key, 25, broker={"host": "elsewhere"}), "r101")
    device.sync()
    wait(lambda: device.slots.refused == 25)
    assert "cannot change 'broker'" in device.slots.because
