"""No setting makes a demonstration of a room in which somebody is watched."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from edge.common.errors import UserError
from tests.edge.permission.attestations import because

pytestmark = pytest.mark.once


def test_no_setting_claims_to_be_a_demonstration(tmp_path: Path) -> None:
    """And a broker on loopback, which some other process runs, is none."""
    with pytest.raises(UserError, match="unknown key 'demo'"):
        because(tmp_path, attestation=None, demo=True)
    with socket.create_server(("127.0.0.1", 0)) as broker:
        port = broker.getsockname()[1]
        assert because(tmp_path, attestation=None, broker={"port": port}) == "no_attestation"
