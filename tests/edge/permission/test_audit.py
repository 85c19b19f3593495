from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.common.errors import UserError
from edge.permission.audit import DeviceAuditLog


def test_lines_follow_each_other(tmp_path: Path) -> None:
    path = tmp_path / "state" / "audit.jsonl"
    for seconds in range(3):
        DeviceAuditLog(path).note("aim_ends", seconds=seconds)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["seconds"] for line in lines] == [0, 1, 2]
    assert all(line["user"] and line["at"].endswith("Z") for line in lines)
    assert DeviceAuditLog(path).broken_line() is None


@pytest.mark.parametrize("tamper", ["change", "remove", "garble"])
def test_tampering_shows(tmp_path: Path, tamper: str) -> None:
    path = tmp_path / "audit.jsonl"
    audit = DeviceAuditLog(path)
    for seconds in range(4):
        audit.note("aim_ends", seconds=seconds)
    lines = path.read_text().splitlines()
    if tamper == "change":
        lines[1] = lines[1].replace('"seconds": 1', '"seconds": 9')
    elif tamper == "remove":
        del lines[1]
    else:
        lines[2] = "{"
    path.write_text("\n".join(lines) + "\n")
    assert audit.broken_line() == {"change": 3, "remove": 2, "garble": 3}[tamper]


def test_what_cannot_be_logged_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"audit\.jsonl"):
        DeviceAuditLog(tmp_path / "file" / "audit.jsonl").note("aim_begins")
