from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge.cli import agent
from edge.commands import doctor
from edge.commands.doctor import Finding, examine
from edge.common.clock_remedy import clock_remedy
from edge.common.errors import CameraFault, Problem, UserError
from edge.config import AgentSettings
from tests.conftest import Mosquitto
from tests.free import free_port


def findings_of(tmp_path: Path, **changes: Any) -> dict[str, Finding]:
    settings = {"site": "school", "room": "r101", "state": tmp_path / "state"} | changes
    return {one.what: one for one in examine(AgentSettings.model_validate(settings))}


def certificate(path: Path, days: int) -> Path:
    """Self-signed, valid for `days` from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "r101")])
    now = datetime.datetime.now(datetime.timezone.utc)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=90))
        .not_valid_after(now + datetime.timedelta(days=days, minutes=5))
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    return path


def test_a_healthy_device(tmp_path: Path, mosquitto: Mosquitto) -> None:
    findings = findings_of(tmp_path, broker={"port": mosquitto.port})
    assert {one.what for one in findings.values() if one.state == "fault"} == set()
    assert set(findings) >= {"runtime", "opencv", "model", "camera", "broker", "state", "clock"}


@pytest.mark.parametrize(
    ("changes", "what", "remedy"),
    [
        ({"broker": {"port": 1}}, "broker", "broker.port"),
        ({"camera": "usb:63"}, "camera", "plug it in"),
        ({"model": "fer99"}, "model", "fer7"),
        ({"broker": {"ca": "/nowhere.pem", "certificate": "/nowhere.pem"}}, "certificate", "enrol"),
        ({"camera": "picamera"}, "camera", "--system-site-packages"),
    ],
)
def test_each_fault_has_its_remedy_and_the_rest_is_looked_at(
    tmp_path: Path, changes: dict[str, Any], what: str, remedy: str
) -> None:
    findings = findings_of(tmp_path, **({"broker": {"port": free_port()}} | changes))
    assert findings[what].state == "fault"
    assert remedy in findings[what].remedy
    assert findings["opencv"].state == "ok"
    assert len(findings) == 13


@pytest.mark.parametrize("kind", [UserError, CameraFault])
def test_a_remedy_with_colons_is_shown_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Problem]
) -> None:
    problem = kind("broken: badly", "/x:y", "pip install 'a[b]': then reboot: twice")

    def fail(*_: object) -> None:
        raise problem

    monkeypatch.setattr(doctor, "make", fail)
    finding = findings_of(tmp_path, broker={"port": free_port()})["camera"]
    assert (finding.state, finding.where, finding.remedy) == (
        "fault",
        problem.where,
        problem.remedy,
    )
    assert finding.seen == "/x:y: broken: badly"


@pytest.mark.parametrize(("days", "state"), [(-1, "fault"), (10, "warning"), (60, "ok")])
def test_a_certificate_says_when_it_ends(tmp_path: Path, days: int, state: str) -> None:
    path = certificate(tmp_path / "device.pem", days)
    findings = findings_of(tmp_path, broker={"port": 1, "ca": path, "certificate": path})
    assert findings["certificate"].state == state
    assert (findings["certificate"].remedy != "") == (state != "ok")


def test_a_full_disk_and_a_wrong_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_FREE", 2**60)
    monkeypatch.setattr(
        doctor, "BUILD_TIME", datetime.datetime(2999, 1, 1, tzinfo=datetime.timezone.utc)
    )
    findings = findings_of(tmp_path, broker={"port": 1})
    assert findings["state"].remedy == "free some space on that disk"
    assert findings["clock"].remedy == clock_remedy()


def test_a_broker_that_speaks_tls_to_one_who_does_not(tmp_path: Path, mosquitto: Mosquitto) -> None:
    ca = certificate(tmp_path / "ca.pem", 60)
    findings = findings_of(tmp_path, broker={"port": mosquitto.port, "ca": ca})
    assert findings["broker"].state == "fault"
    assert "TLS" in findings["broker"].remedy


def test_as_lines_of_json(tmp_path: Path) -> None:
    config = tmp_path / "agent.yaml"
    config.write_text("site: school\nroom: r101\nstate: state\nbroker: {port: 1}\n")
    result = CliRunner().invoke(
        agent, ["doctor", "--config", str(config), "--json"], standalone_mode=False
    )
    lines = [json.loads(line) for line in result.output.splitlines()]
    assert result.return_value == 1
    assert all(set(line) == {"what", "state", "seen", "remedy", "where"} for line in lines)
    assert [line["what"] for line in lines if line["state"] == "fault"] == ["broker"]
