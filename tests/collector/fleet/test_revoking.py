"""Whose connection is ended, and how often."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from collector.access.accounts import Room
from collector.fleet import revocation as revoking
from collector.fleet.authority import Authority
from collector.fleet.files import SiteFiles, serve
from collector.fleet.registry import DeviceRegistry
from collector.fleet.revocation import RevocationWorker
from collector.storage.database import connect
from edge.common.broker import BrokerSettings
from edge.protocol.identity import new_key, request, serial


class ListCounter(RevocationWorker):
    """Notes whose connection it would end."""

    def __init__(self, files: SiteFiles, authority: Authority, register: DeviceRegistry) -> None:
        super().__init__(files, authority, register, BrokerSettings(), lambda: None)
        self.kicks: list[str] = []

    def _kick(self, room: Room) -> None:
        self.kicks.append(room[1])


def test_a_revoked_device_is_kicked_thrice_and_a_renewed_one_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority.make("school", new_key())
    register = DeviceRegistry(connect(f"sqlite:///{tmp_path}/c.sqlite"))
    files = SiteFiles(tmp_path / "site")
    files.broker.mkdir(parents=True)
    for key, certificate, name in (
        (files.broker_key, files.broker_pem, "broker"),
        (files.collector_key, files.collector, "collector"),
    ):
        serve(authority, key, certificate, name, ["localhost"], 0o600)
    names_of = {}
    for room in ("lost", "renewed", "as-before"):
        names_of[room] = authority.sign_device(request(new_key(), room), room)
        register.record(("school", room), names_of[room], "board")
    before = ListCounter(files, authority, register)
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    before.run_once()
    register.revoke(("school", "lost"), "the device is lost")
    newer = authority.sign_device(request(new_key(), "renewed"), "renewed")
    register.record(("school", "renewed"), newer)
    assert {one.serial for one in register.revocations()} == {
        serial(names_of["lost"]),
        serial(names_of["renewed"]),
    }
    for second in range(60):
        clock[0] = 1001.0 + second
        before.run_once()
    assert sorted(before.kicks) == ["lost", "lost", "lost", "renewed"]
    assert max(after for how in revoking.KICKS_S.values() for after in how) < 60  # as promised
