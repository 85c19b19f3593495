"""The agent's user owns its enrolment, and does not choose with it what it may reach."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from collector.fleet.invitation_text import invitation_text
from deploy.commands.device import device
from edge.common.errors import UserError
from edge.device.addresses import addresses, forgetter, note_of
from edge.device.enrol import ABOUT, SITE, EnrolmentRecord
from edge.protocol.code import Code
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
FLEET = (ROOT / "docs" / "fleet.md").read_text()
NO_RESOLVERS = Path("/nonexistent")
AGENT = 12_345
"""A user's number that is not root's."""


def enrol(state: Path, collector: str, broker: str) -> None:
    state.mkdir(exist_ok=True)
    record = EnrolmentRecord(
        collector=f"https://{collector}:8642", site="school", room="r101", hardware=""
    )
    (state / ABOUT).write_text(record.model_dump_json())
    (state / SITE).write_text(yaml.safe_dump({"broker": {"host": broker}}))


def test_what_the_agent_writes_later_opens_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state, note = tmp_path / "roommood-agent", tmp_path / "note.json"
    enrol(state, "127.0.0.1", "127.0.0.2")
    before = addresses(state, NO_RESOLVERS, note)
    assert before == ["127.0.0.1", "127.0.0.2"]
    assert note.stat().st_mode & 0o777 == 0o600
    for collector, broker in (("127.0.0.1", "127.9.9.9"), ("127.9.9.9", "127.0.0.2")):
        enrol(state, collector, broker)
        assert addresses(state, NO_RESOLVERS, note) == before
        assert "is not believed" in caplog.text
        caplog.clear()
    assert addresses(state, NO_RESOLVERS) != before, "without root's note it would have"


def test_the_service_asks_with_roots_own_note(tmp_path: Path) -> None:
    """The script as it is installed, with another roommood and systemctl than the real ones."""
    words = tmp_path / "words"
    for name, answer in (("bin/roommood", "echo 127.0.0.1"), ("path/systemctl", "")):
        fake = tmp_path / name
        fake.parent.mkdir()
        fake.write_text(f'#!/bin/sh\necho "$(basename "$0") $*" >>{words}\n{answer}\n')
        fake.chmod(0o755)
    script = tmp_path / "libexec" / "narrow-addresses"
    script.parent.mkdir()
    script.write_text((ROOT / "deploy" / "libexec" / "narrow-addresses").read_text())
    path = f"{tmp_path / 'path'}:{os.environ['PATH']}"
    subprocess.run(["sh", str(script)], env={"PATH": path}, check=True)
    lines = words.read_text().splitlines()
    assert lines[0] == (
        "roommood device addresses --note /var/lib/roommood-addresses/roommood-agent.json"
    )
    assert "127.0.0.1" in lines[1]
    unit = (ROOT / "systemd" / "roommood-addresses.service").read_text()
    assert "StateDirectory=roommood-addresses\n" in unit
    assert "User=" not in unit
    assert note_of(Path("/var/lib/roommood-agent")) == Path(lines[0].rpartition(" ")[2])


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, as on a device")
def test_whoever_enrols_anew_as_root_may_change_it(tmp_path: Path) -> None:
    state, notes = tmp_path / "roommood-agent", tmp_path / "notes"
    enrol(state, "127.0.0.1", "127.0.0.1")
    os.chown(state, AGENT, AGENT)
    forget = forgetter(state, notes)
    note = note_of(state, notes)
    assert addresses(state, NO_RESOLVERS, note) == ["127.0.0.1"], "looked up meanwhile"
    enrol(state, "127.0.0.3", "127.0.0.3")
    assert addresses(state, NO_RESOLVERS, note) == ["127.0.0.1"]
    forget()
    assert addresses(state, NO_RESOLVERS, note) == ["127.0.0.3"]


def test_a_damaged_note_opens_nothing(tmp_path: Path) -> None:
    state, note = tmp_path / "roommood-agent", tmp_path / "note.json"
    enrol(state, "127.0.0.1", "127.0.0.1")
    note.write_text("{")
    with pytest.raises(UserError, match="is damaged: delete it"):
        addresses(state, NO_RESOLVERS, note)


def test_the_code_is_asked_for_and_stands_in_no_list_of_processes(tmp_path: Path) -> None:
    words = ("enrol", "https://127.0.0.1:9", "--wait", "1s", "--state", str(tmp_path))
    result = CliRunner().invoke(device, words, input="not-a-code\n")
    assert result.output.startswith("Code: ")
    assert isinstance(result.exception, UserError)
    assert "'not-a-code'" in str(result.exception)
    code = str(Code.new())
    for text in (invitation_text("https://x", code, "school/r101", "15m"), README, FLEET):
        lines = [line for line in text.splitlines() if "roommood device enrol" in line]
        assert lines
        assert not any("--code" in line for line in lines)
