"""`roommood collector evidence`: what is in a pack, and what must not be."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from sqlalchemy import Engine
from sqlalchemy import update as sql_update

from collector.access.audit import AuditLog
from collector.access.secret import own_key
from collector.cli import collector
from collector.config import CollectorSettings
from collector.evidence.facts import gather
from collector.evidence.summary import summary_html
from collector.pages.words import LANGUAGES, words
from collector.retention.runs import add_round
from collector.storage.store import Store
from collector.storage.tables import moods
from deploy.commands.site import site as site_command
from deploy.commands.site_key import make_key
from edge.common.errors import UserError
from edge.common.settings import load
from edge.protocol.attestation import read_private
from edge.protocol.bundle import pack_up
from edge.protocol.messages import Mood
from tests.collector.access.test_audit import rewrite
from tests.collector.public import PAGE, TITLES, attestation, status
from tests.conftest import mood
from tests.fleet import Site
from tests.free import free_port
from tests.full_disk import leave, small_disk
from tests.system.test_impostors import connection

pytestmark = pytest.mark.once

FACES = 4111
SECRET = "s3cret-of-the-webhook"  # to be looked for
DAY_S = 86_400.0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a device that reads expressions, and people who change things."""
    folder = tmp_path_factory.mktemp("evidence")
    site = Site(folder)
    content = yaml.safe_load(site.config.read_text())
    content |= {"public": {"school": PAGE}, "rooms": TITLES}
    hook = {"url": f"https://hooks.example/{SECRET}", "secret": f"whsec_{SECRET}"}
    content |= {"webhooks": [hook], "school": {"timezone": "Pacific/Auckland"}}
    site.config.write_text(yaml.safe_dump(content))
    with site:
        service, fleet = site.service, site.fleet
        key = read_private(folder / "site/signing/site.key")
        files = {
            "settings.yaml": b"attestation: signed.yaml\n",
            "signed.yaml": attestation(key).encode(),
        }
        fleet.upload(pack_up("school", 1, files, "for a year", key), [], "ian")
        store = Store(site.engine)
        store.add(windows("r101", faces=FACES, counts={"happy": FACES, "uncertain": 0}))
        store.add(windows("r102", counts=None, withheld="headcount_only", model="0" * 12))
        device = site.enrol_device("r101")
        with connection(site, device / "identity") as client:
            message = status().model_copy(update={"device": "r101"})
            told = client.publish(
                "roommood/v1/school/r101/status", message.encode(), 1, retain=True
            )
            told.wait_for_publish(10)
        service.audit.add("ann", "account made", "tess, teacher")
        service.audit.add("ian", "room viewed", "school/r101")
        service.audit.add("ann", "room erased", "school/r103: 40 windows")
        add_round(site.engine, service.audit, time.time() - DAY_S, 40, 2, 0)
        add_round(site.engine, service.audit, time.time(), 3, 0, 0)
        yield site


def windows(room: str, **changes: Any) -> list[Mood]:
    """Forty of the last minutes."""
    now = datetime.now(timezone.utc)
    starts = [now - timedelta(seconds=15 * (40 - seq)) for seq in range(40)]
    return [
        mood(room=room, device=room, seq=seq, start=start, **changes)
        for seq, start in enumerate(starts)
    ]


def make(site: Site, out: Path, *options: str) -> str:
    """What the command says; raises what it raises."""
    line = ["evidence", "--config", str(site.config), "--out", str(out), *options]
    result = CliRunner().invoke(collector, line, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.output


def files_in(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def pack(place: Site) -> Path:
    out = place.folder / "pack.zip"
    output = make(place, out)
    assert ": signed" not in output
    assert output.rstrip().endswith("bytes, signed")
    return out


def document(pack: Path, name: str) -> Any:
    return json.loads(files_in(pack)[f"{name}.json"])


def test_it_verifies_here_and_with_common_tools(place: Site, pack: Path, tmp_path: Path) -> None:
    key = place.folder / "site" / "site.pub"
    line = ["verify", str(pack), "--key", str(key)]
    result = CliRunner().invoke(site_command, line, standalone_mode=False)
    assert (result.return_value, "none changed" in result.output) == (0, True)
    with zipfile.ZipFile(pack) as archive:
        archive.extractall(tmp_path)
    (readme,) = re.findall(r"(openssl .*)\n", (tmp_path / "README.txt").read_text())
    for command in ("sha256sum -c SHA256SUMS", readme.replace("site.pub", str(key), 1)):
        answer = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=False)
        assert answer.returncode == 0, answer.stderr


def test_it_says_what_was_measured_and_how(pack: Path) -> None:
    rooms = {room["room"]: room for room in document(pack, "measured")["rooms"]}
    assert (rooms["r101"]["with_expressions"], rooms["r101"]["faces_only"]) == (40, 0)
    assert (rooms["r102"]["with_expressions"], rooms["r102"]["faces_only"]) == (0, 40)
    assert [one["model"] for one in document(pack, "measured")["models"]] == ["0123456789ab"]


def test_it_says_on_whose_authority_and_has_the_signed_file(pack: Path) -> None:
    (one,) = document(pack, "attestations")["attestations"]
    assert (one["responsible"]["name"], one["rooms"]) == ("Carla Ruiz", ["r101"])
    assert (one["source"], one["update_state"]) == ("update 1, signed.yaml", "everywhere")
    assert b"Carla Ruiz" in files_in(pack)["attestations/01-update-1-signed.yaml"]


def test_it_says_who_changed_what_and_not_who_looked(pack: Path) -> None:
    changes = [(one["who"], one["what"], one["about"]) for one in document(pack, "changes")]
    assert ("ann", "account made", "tess, teacher") in changes
    assert ("ian", "update uploaded", "1: everywhere at once") in changes
    assert ("the command line", "evidence made", "pack.zip") in changes
    assert "room viewed" not in {what for _, what, _ in changes}
    assert document(pack, "audit")["in_this_time"]["room viewed"] == 1
    assert document(pack, "audit")["wrong"] == []


def test_it_says_what_retention_did_each_day(pack: Path) -> None:
    retention = document(pack, "retention")
    days = {day["day"]: day for day in retention["days"]}
    yesterday = f"{datetime.now(timezone.utc) - timedelta(days=1):%Y-%m-%d}"
    assert (days[yesterday]["windows"], days[yesterday]["lessons"]) == (40, 2)
    assert len(days) == 2
    assert retention["stored_past_its_time"] == 0
    assert retention["erasures"] == 1


def test_it_says_what_devices_report_and_which_updates_there_were(pack: Path) -> None:
    (device,) = document(pack, "devices")["devices"]
    assert (device["room"], device["mode"], device["because"]) == ("r101", "emotion", "attested")
    assert device["version"] == "1.2.3"
    assert device["certificate"]["state"] in ("new", "current")  # once it was heard
    (update,) = document(pack, "updates")
    assert update["signature"] == "of the site's key"
    assert set(update["files"]) == {"settings.yaml", "signed.yaml"}


def test_there_is_no_count_and_no_secret_in_it(place: Site, pack: Path) -> None:
    key = (place.folder / "collector" / "secret.key").read_bytes()
    private = (place.folder / "site/signing/site.key").read_bytes()
    secrets = [str(FACES).encode(), b"happy", SECRET.encode(), key, key.hex().encode(), private]
    for name, content in files_in(pack).items():
        assert [one for one in secrets if one in content] == [], name
        assert b"PRIVATE KEY" not in content


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_summary_says_it_in_every_language(place: Site, language: str) -> None:
    from weasyprint import HTML

    settings = load(CollectorSettings, place.config)
    facts = gather(settings, place.engine, place.service.audit, 0.0, time.time() + 1)
    html = summary_html(settings, facts, language, "1234-5678")
    texts = words(language)["evidence"]
    for key in (
        "glance",
        "measured",
        "authority",
        "kept",
        "changes",
        "devices",
        "proofs",
        "verify",
    ):
        assert texts[key] in html
    assert "Carla Ruiz" in html
    assert texts["in_time"] in html
    assert "1234-5678" in html
    HTML(string=html)


def test_a_log_that_was_tampered_with_and_late_readings_are_said(
    engine: Engine, tmp_path: Path
) -> None:
    """On both databases."""
    settings = load(CollectorSettings, plain_collector(tmp_path))
    audit = AuditLog(engine, settings.state, own_key(settings.state))
    audit.add("ann", "account made", "bob, teacher")
    rewrite(engine, "UPDATE audit SET who = 'eve'")
    old = datetime.now(timezone.utc) - timedelta(days=90)
    Store(engine).add([mood(start=old, counts=None, withheld="headcount_only")])
    with engine.begin() as connection:
        connection.execute(sql_update(moods).values(received=old.timestamp()))
    facts = gather(settings, engine, audit, 0.0, time.time())
    (room,) = facts.documents["measured"]["rooms"]
    assert (room["readings"], room["faces_only"], room["hidden"]) == (1, 1, 0)
    html = summary_html(settings, facts, "en", None)
    assert "of 1 entries, was tampered with" in html
    assert "entry 1 was changed" in html
    assert "Readings stored past their time: 1." in html
    assert "This pack is not signed" in html
    assert "The broker did not answer" in html
    assert "There is no record of deletion runs" in html


def plain_collector(folder: Path) -> Path:
    """Without a fleet, and with a broker that nobody is."""
    config = folder / "collector.yaml"
    content = {"database": f"sqlite:///{folder}/c.sqlite", "state": "state"}
    config.write_text(yaml.safe_dump(content | {"broker": {"port": free_port()}}))
    return config


def run(config: Path, *options: str) -> tuple[str, UserError | None]:
    line = ["evidence", "--config", str(config), *options]
    result = CliRunner().invoke(collector, line, standalone_mode=False)
    if result.exception is not None and not isinstance(result.exception, UserError):
        raise result.exception
    return result.output, result.exception


def test_a_time_bounds_what_is_in_it(place: Site, tmp_path: Path) -> None:
    out = tmp_path / "old.zip"
    _, error = run(place.config, "--out", str(out), "--from", "2020-01-01", "--to", "2020-12-31")
    assert error is None
    assert document(out, "measured")["rooms"] == []
    assert document(out, "changes") == []
    assert document(out, "about")["from"] == "2019-12-31T11:00:00.000Z"  # Auckland's midnight


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--from", "2026-02-01", "--to", "2026-01-01"), "--from is after --to"),
        (("--from", "2100-01-01"), "that day has not come yet"),
        (("--key", "nowhere.key"), "cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_writes_nothing(
    tmp_path: Path, options: tuple[str, ...], says: str
) -> None:
    _, error = run(plain_collector(tmp_path), "--out", str(tmp_path / "e.zip"), *options)
    assert error is not None
    assert says in str(error)
    assert not (tmp_path / "e.zip").exists()


def test_a_key_that_is_not_the_sites_is_refused(place: Site, tmp_path: Path) -> None:
    make_key(tmp_path)
    options = ("--out", str(tmp_path / "e.zip"), "--key", str(tmp_path / "site.key"))
    _, error = run(place.config, *options)
    assert "is not the key whose public half the devices have" in str(error)
    assert not (tmp_path / "e.zip").exists()


def test_nothing_is_replaced_without_saying_so(tmp_path: Path) -> None:
    config, out = plain_collector(tmp_path), tmp_path / "e.zip"
    out.write_text("the one of last year")
    _, error = run(config, "--out", str(out))
    assert "is there already: choose another --out, or add --replace" in str(error)
    assert out.read_text() == "the one of last year"
    output, error = run(config, "--out", str(out), "--replace")
    assert error is None
    assert "not signed" in output
    assert out.stat().st_mode & 0o777 == 0o600
    assert out.read_bytes()[:2] == b"PK"


def test_a_full_disk_is_said_and_nothing_stays_behind(tmp_path: Path) -> None:
    config = plain_collector(tmp_path)
    with small_disk(tmp_path / "small", 1) as disk:
        leave(disk, 2)
        _, error = run(config, "--out", str(disk.folder / "e.zip"))
        assert "no space left on device" in str(error)
        assert sorted(os.listdir(disk.folder)) == ["ballast"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    _, error = run(plain_collector(tmp_path), "--out", str(tmp_path / "no" / "e.zip"))
    assert "no such file or directory" in str(error)
