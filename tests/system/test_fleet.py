"""From invitation to revocation: a real agent, Mosquitto with TLS, a collector over HTTPS."""

from __future__ import annotations

import ssl
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from edge.common.errors import UserError
from edge.device.sync import DeviceSync
from edge.protocol.code import Code
from tests.fleet import SITE, Site
from tests.free import wait

ROOM = (SITE, "r101")


def settings(state: Path, **changes: object) -> Path:
    """The machine's own file beside an enrolment."""
    config = state.parent / f"{state.name}.yaml"
    own = {"enrolled": str(state), "camera": "sim:seats=12,seed=1", "window_seconds": 1}
    config.write_text(yaml.safe_dump(own | changes))
    return config


@contextmanager
def agent(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process as the device's unit starts it, again and again."""
    command = [sys.executable, "-m", "deploy.commands.cli", "agent", "run", "--config", str(config)]
    with config.with_suffix(".log").open("ab") as log:
        process = subprocess.Popen(command, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


def live(site: Site) -> bool:
    view = site.service.rooms.view(*ROOM)
    return view.mood is not None and view.state in ("live", "withheld")


def is_connected(site: Site, name: str) -> bool:
    """Whether the broker has an open connection under that name, as its log tells."""
    state = False
    for line in site.log.read_text(errors="replace").splitlines():
        if f" as {name} (" in line and "New client connected" in line:
            state = f"u'{name}'" in line
        elif f"Client {name} " in line and ("disconnected" in line or "closed its" in line):
            state = False
    return state


def test_invited_enrolled_approved_live_renewed_and_revoked(site: Site) -> None:
    state = site.folder / "device"
    status, text = site.run("invite", "--room", "r101")
    assert status == 0
    code = next(word for word in text.split() if word.count("-") == 3).rstrip(",")
    command = [sys.executable, "-m", "deploy.commands.cli", "device", "enrol", site.url]
    device = subprocess.Popen(
        [*command, "--code", code, "--state", str(state), "--wait", "60s"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert device.stdout is not None
    fingerprint = device.stdout.readline().split()[-1]
    wait(lambda: len(site.fleet.invitations.pending()) == 1)
    assert fingerprint == site.fleet.invitations.pending()[0].fingerprint
    assert site.run("approve", fingerprint)[0] == 0
    assert device.wait(60) == 0

    with agent(settings(state)):
        wait(lambda: live(site))
        assert is_connected(site, "r101")
        before = (state / "identity" / "certificate.pem").read_bytes()
        sync = [
            sys.executable,
            "-m",
            "deploy.commands.cli",
            "device",
            "sync",
            "--state",
            str(state),
        ]
        subprocess.run([*sync, "--renew"], check=True)
        assert (state / "identity" / "certificate.pem").read_bytes() != before
        seq = site.service.rooms.view(*ROOM).mood
        wait(lambda: site.service.rooms.view(*ROOM).mood != seq and is_connected(site, "r101"))

        status, text = site.run("list", "--json")
        assert '"room":"r101"' in text
        assert '"frames_per_s":' in text
        start = time.monotonic()
        assert site.run("revoke", "r101")[0] == 0
        wait(lambda: not is_connected(site, "r101"), 60)
        assert time.monotonic() - start < 60
        wait(lambda: site.log_of("connection refused") != [])
        assert subprocess.run(sync, check=False, capture_output=True).returncode == 2
    assert any("r101" in line for line in site.log_of("device revoked"))
    refusals = site.log_of("connection refused")
    assert any("certificate verify failed" in line for line in refusals)
    assert list(site.service.audit.wrong()) == []


def files_with(site: Site, text: str) -> set[Path]:
    """Files that hold a text: the collector's, the broker's and the devices'.

    By another process: whoever opens and closes an SQLite file ends the locks on it of their own.
    """
    result = subprocess.run(
        ["grep", "-rlaF", "-e", text, str(site.folder)], capture_output=True, text=True, check=True
    )
    return {Path(line).resolve() for line in result.stdout.splitlines()}


def test_no_private_key_leaves_the_machine_that_made_it(site: Site) -> None:
    state = site.enrol_device("r110")
    key = state / "identity" / "key.pem"
    assert files_with(site, key.read_text().splitlines()[1]) == {key.resolve()}
    for name in ("authority.key", "collector.key", "broker/broker.key", "signing/site.key"):
        path = site.place.folder / name
        assert files_with(site, path.read_text().splitlines()[1]) == {path}
    private = files_with(site, "PRIVATE KEY")
    assert len(private) >= 5
    assert {p.stat().st_mode & 0o077 for p in private} <= {0, 0o040}  # the broker's group alone


def serial_of(port: int) -> int:
    """The serial number of the certificate that a server shows."""
    pem = ssl.get_server_certificate(("localhost", port))
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


@pytest.mark.once
def test_the_servers_certificates_renew_themselves(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = serial_of(site.place.web_port)
    files = site.fleet.files
    old = [files.broker_pem.read_bytes(), files.collector.read_bytes()]
    monkeypatch.setattr("collector.fleet.files._is_due", lambda _certificate: True)
    site.invite("r120")
    state = site.enrol_device("r121")
    DeviceSync(state).run()
    site.fleet.revoke((SITE, "r121"), "ian", "so that the list changes")
    wait(lambda: serial_of(site.place.web_port) != before)
    monkeypatch.undo()
    assert old[0] != files.broker_pem.read_bytes()
    assert old[1] != files.collector.read_bytes()
    wait(lambda: site.get("/healthz").status_code == 200)
    assert DeviceSync(site.enrol_device("r122")).run() == []


@pytest.mark.once
def test_a_backup_holds_the_authority_and_not_the_signing_key(site: Site) -> None:
    out = site.folder / "backup.tar.gz"
    command = [sys.executable, "-m", "deploy.commands.cli", "collector"]
    subprocess.run([*command, "backup", "--config", site.config, "--out", out], check=True)
    with tarfile.open(out) as archive:
        names = archive.getnames()
    assert {"site/authority.key", "site/broker/crl.pem", "certificate-000001.jsonl"} <= set(names)
    assert not [name for name in names if "signing" in name]

    elsewhere = site.folder / "elsewhere"
    content = yaml.safe_load(site.config.read_text())
    content["database"] = f"sqlite:///{elsewhere}/c.sqlite"
    content["state"], content["fleet"]["folder"] = str(elsewhere), str(elsewhere / "site")
    elsewhere.mkdir()
    config = elsewhere / "collector.yaml"
    config.write_text(yaml.safe_dump(content))
    subprocess.run([*command, "restore", "--config", config, "--from", out], check=True)
    same = (elsewhere / "site" / "authority.key").read_bytes()
    assert same == (site.place.folder / "authority.key").read_bytes()
    listing = [
        sys.executable,
        "-m",
        "deploy.commands.cli",
        "device",
        "list",
        "--json",
        "--config",
        str(config),
    ]
    text = subprocess.run(listing, capture_output=True, text=True, check=False).stdout
    assert '"room":"r101"' in text


@pytest.mark.once
def test_cards_for_many_rooms_and_what_may_not_be_a_room(site: Site, tmp_path: Path) -> None:
    rooms = [word for room in ("r130", "r131") for word in ("--room", room)]
    cards = tmp_path / "cards"
    assert site.run("invite", *rooms, "--valid", "7d", "--out", str(cards))[0] == 0
    card = yaml.safe_load((cards / "roommood-enrol-r131.yaml").read_text())
    assert card["collector"] == site.url
    assert (cards / "roommood-enrol-r130.yaml").stat().st_mode & 0o777 == 0o600
    state = tmp_path / "device"
    site.enrol(state, Code(card["code"]), lambda: site.approve((SITE, "r131")))
    for room, wrong in (
        ("collector", "not a valid room name"),
        ("other/r1", "not a room of site 'school'"),
    ):
        with pytest.raises(UserError, match=wrong):
            site.run("invite", "--room", room)
    with pytest.raises(UserError, match="not a duration"):
        site.run("invite", "--room", "r1", "--valid", "soon")
    with pytest.raises(UserError, match="no device is waiting there"):
        site.run("approve", "r999")
    with pytest.raises(UserError, match="no device there has a certificate"):
        site.run("revoke", "r999")
    with pytest.raises(UserError, match="cannot be read"):
        site.run("update", str(tmp_path / "none.bundle"))
