"""The playbook, run by Ansible against this machine, with a role that fails where it is to."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.once

ANSIBLE = shutil.which("ansible-playbook", path="/usr/bin:/usr/local/bin")
ROLE = """
- ansible.builtin.command: touch {folder}/{{{{ inventory_hostname }}}}
- ansible.builtin.fail: {{msg: does not run}}
  when: inventory_hostname in failing
"""
HOSTS = """
[roommood_canary]
first ansible_connection=local
second ansible_connection=local
[roommood]
third ansible_connection=local
fourth ansible_connection=local
"""


@pytest.mark.skipif(ANSIBLE is None, reason="ansible-core is not installed")
@pytest.mark.parametrize(
    ("failing", "ours"),
    [([], {"first", "second", "third", "fourth"}), (["second"], {"first", "second"})],
)
def test_no_device_is_begun_after_a_canary_has_failed(
    tmp_path: Path, failing: list[str], ours: set[str]
) -> None:
    mark = tmp_path / "reached"
    mark.mkdir()
    tasks = tmp_path / "roles" / "roommood_agent" / "tasks"
    tasks.mkdir(parents=True)
    (tasks / "main.yaml").write_text(ROLE.format(folder=mark))
    text = (ROOT / "deploy" / "ansible" / "site.yaml").read_text().replace("become: true", "")
    (tmp_path / "site.yaml").write_text(text.replace("  \n", ""))
    (tmp_path / "hosts.ini").write_text(HOSTS)
    extra = f'{{"failing": {failing}}}'.replace("'", '"')
    result = subprocess.run(
        [str(ANSIBLE), "-i", tmp_path / "hosts.ini", tmp_path / "site.yaml", "-e", extra],
        capture_output=True,
        text=True,
        timeout=300,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
        check=False,
    )
    assert {path.name for path in mark.iterdir()} == ours, result.stdout + result.stderr
    assert (result.returncode == 0) == (not failing)
