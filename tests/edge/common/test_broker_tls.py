"""A connection that somebody wanted to be encrypted is not plain text for want of a key."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from collector.cli import collector
from edge.cli import agent
from edge.common.errors import UserError

ENDS: dict[str, tuple[click.Group, dict[str, str]]] = {
    "agent": (agent, {"site": "north", "room": "r101"}),
    "collector": (collector, {}),
}


@pytest.mark.parametrize(("group", "content"), ENDS.values(), ids=ENDS.keys())
@pytest.mark.parametrize("command", ["check", "show-config"])
@pytest.mark.parametrize(
    ("broker", "words"),
    [
        ({"certificate": "c.pem", "key": "c.key"}, "'certificate' and 'key' without 'ca'"),
        ({"certificate": "c.pem"}, "'certificate' without 'ca'"),
        ({"key": "c.key"}, "'key' without 'ca'"),
        ({"ca": "ca.pem", "key": "c.key"}, "'key' without 'certificate'"),
    ],
)
def test_a_certificate_that_would_not_be_used_is_refused(
    group: click.Group,
    content: dict[str, str],
    command: str,
    broker: dict[str, str],
    words: str,
    tmp_path: Path,
) -> None:
    config = tmp_path / "settings.yaml"
    config.write_text(yaml.safe_dump({**content, "state": "state", "broker": broker}))
    with pytest.raises(UserError, match=f"'broker': {words}"):
        CliRunner().invoke(group, [command, "--config", str(config)], catch_exceptions=False)


@pytest.mark.parametrize("broker", [{"ca": "a"}, {"ca": "a", "certificate": "c"}])
def test_what_tls_can_use_is_taken(broker: dict[str, str], tmp_path: Path) -> None:
    config = tmp_path / "settings.yaml"
    config.write_text(yaml.safe_dump({"broker": broker}))
    result = CliRunner().invoke(collector, ["show-config", "--config", str(config)])
    assert result.exit_code == 0
