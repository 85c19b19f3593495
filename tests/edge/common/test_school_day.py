"""Time zones are there on a machine that has none of its own: those of the package tzdata."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from pydantic import TypeAdapter, ValidationError

from edge.common.school_day import TimeZone
from tests.conftest import ROOT

ASKS = """
from zoneinfo import TZPATH, ZoneInfo
from pydantic import TypeAdapter
from edge.common.school_day import TimeZone
assert not TZPATH
for name in ("Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kathmandu", "UTC"):
    print(ZoneInfo(TypeAdapter(TimeZone).validate_python(name)))
"""


def test_without_the_systems_time_zones() -> None:
    result = subprocess.run(
        [sys.executable, "-c", ASKS],
        env=os.environ | {"PYTHONTZPATH": "", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stderr == ""
    assert len(result.stdout.splitlines()) == 4


@pytest.mark.parametrize("name", ["", "Europe/Atlantis", "../etc/passwd", "/etc/localtime", "\0"])
def test_what_is_no_time_zone(name: str) -> None:
    with pytest.raises(ValidationError, match="no such time zone"):
        TypeAdapter(TimeZone).validate_python(name)
