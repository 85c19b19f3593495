from __future__ import annotations

import stat
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from edge.common.errors import UserError
from edge.device.addresses import addresses
from edge.device.enrol import ABOUT, SITE, EnrolmentRecord, about
from edge.device.hardware import hardware
from edge.protocol.identity import Identity, fingerprint, install, new_key, private_pem


def certificate(days: float = 90, age: float = 0, number: int = 7) -> tuple[bytes, str]:
    """A key and a certificate of it, signed by itself."""
    key = new_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "r101")])
    start = datetime.now(timezone.utc) - timedelta(days=age)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(number)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )

    return private_pem(key), cert.public_bytes(Encoding.PEM).decode()


def test_a_new_identity_takes_the_place_of_the_old_one_whole(tmp_path: Path) -> None:
    for number in (7, 8):
        key, pem = certificate(number=number)
        identity = install(tmp_path, key, pem, "authority")
        assert identity.serial == f"{number:x}"
        assert identity.name == "r101"
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["identity", "identity-8"]
    for path in (tmp_path / "identity").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert private_pem(Identity(tmp_path).key) == key


@pytest.mark.parametrize(("age", "due"), [(0, False), (59.9, False), (60.1, True), (91, True)])
def test_a_certificate_is_due_after_two_thirds_of_its_life(
    tmp_path: Path, age: float, due: bool
) -> None:
    assert install(tmp_path, *certificate(90, age), "authority").is_due() is due


def test_without_an_enrolment_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not enrolled: run `roommood device enrol`"):
        Identity(tmp_path)
    with pytest.raises(UserError, match="not enrolled: run `roommood device enrol`"):
        about(tmp_path)
    (tmp_path / ABOUT).write_text("{}")
    with pytest.raises(UserError, match="is damaged: enrol the device again"):
        about(tmp_path)


def test_a_fingerprint_is_for_people() -> None:
    key = new_key().public_key()
    assert fingerprint(key) == fingerprint(key)
    assert len(fingerprint(key)) == 19
    assert fingerprint(new_key().public_key()) != fingerprint(key)


def test_a_card_that_was_put_into_another_machine_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = EnrolmentRecord(collector="https://c", site="school", room="r101", hardware="aaaa")
    (tmp_path / ABOUT).write_text(record.model_dump_json())
    for here, fits in (("aaaa", True), ("", True), ("bbbb", False)):
        monkeypatch.setattr("edge.device.enrol.hardware", lambda here=here: here)
        if fits:
            assert about(tmp_path) == record
        else:
            with pytest.raises(UserError, match="enrolled in another machine"):
                about(tmp_path)


def test_the_boards_number_is_told_as_a_digest(tmp_path: Path) -> None:
    board = tmp_path / "serial-number"
    board.write_bytes(b"10000000abcdef01\0")
    digest = hardware((tmp_path / "missing", board))
    assert len(digest) == 16
    assert "abcdef" not in digest
    assert hardware((tmp_path / "missing",)) == ""


def test_the_addresses_that_a_device_has_to_reach(tmp_path: Path) -> None:
    record = EnrolmentRecord(
        collector="https://127.0.0.1:8642", site="school", room="r101", hardware=""
    )
    (tmp_path / ABOUT).write_text(record.model_dump_json())
    (tmp_path / SITE).write_text("broker: {host: 127.0.0.2}\n")
    resolvers = tmp_path / "resolv.conf"
    resolvers.write_text("search school.example\nnameserver 10.0.0.1\n")
    assert addresses(tmp_path, resolvers) == ["10.0.0.1", "127.0.0.1", "127.0.0.2"]
    (tmp_path / SITE).write_text("broker: {host: nowhere.invalid}\n")
    assert addresses(tmp_path, tmp_path / "missing") == ["127.0.0.1"]
