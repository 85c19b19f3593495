"""The clock's remedy is one that this machine has."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.common import clock_remedy


@pytest.mark.parametrize(
    ("answer", "remedy"),
    [
        ("CanNTP=no\nNTP=no", clock_remedy.INSTALL),
        ("CanNTP=yes\nNTP=no", clock_remedy.SWITCH_ON),
        ("CanNTP=yes\nNTP=yes", clock_remedy.REACH),
        (None, clock_remedy.BY_HAND),
    ],
)
def test_what_the_machine_says(
    answer: str | None, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program in the place of timedatectl, which wants a booted systemd."""
    if answer is not None:
        program = tmp_path / "timedatectl"
        program.write_text(f"#!/bin/sh\nprintf '{answer}\\n'\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin" if answer else str(tmp_path))
    assert clock_remedy.clock_remedy() == remedy
