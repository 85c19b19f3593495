"""The key that signs updates: one that does not fit is seen, and a lost one replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.commands.site_key import PRIVATE, PUBLIC, check_pair, make_key, replace
from edge.common.errors import UserError
from edge.protocol.attestation import public_key, read_private
from edge.protocol.bundle import pack_up, unpack


@pytest.fixture
def site(tmp_path: Path) -> Path:
    make_key(tmp_path / "signing")
    (tmp_path / PUBLIC).write_bytes((tmp_path / "signing" / PUBLIC).read_bytes())
    return tmp_path


def test_a_pair_fits_and_another_one_does_not(site: Path, tmp_path: Path) -> None:
    private = site / "signing" / PRIVATE
    assert "belongs to" in check_pair(private, site / PUBLIC)
    make_key(tmp_path / "other")
    with pytest.raises(UserError, match="replace-key"):
        check_pair(tmp_path / "other" / PRIVATE, site / PUBLIC)
    private.unlink()
    assert "not on this machine" in check_pair(private, site / PUBLIC)


def test_a_replaced_key_signs_what_its_public_half_accepts(site: Path) -> None:
    old = public_key(site / PUBLIC)
    replace(site / "signing", site / PUBLIC)
    assert "belongs to" in check_pair(site / "signing" / PRIVATE, site / PUBLIC)
    files = {"settings.yaml": b"log_level: debug\n"}
    data = pack_up("school", 1, files, "", read_private(site / "signing" / PRIVATE))
    assert unpack(data, public_key(site / PUBLIC), "school").manifest.number == 1
    with pytest.raises(UserError):
        unpack(data, old, "school")
    assert len(list((site / "signing").glob(f"{PRIVATE}.*"))) == 1  # the old one is not deleted
    assert (site / PUBLIC).stat().st_mode & 0o777 == 0o640
