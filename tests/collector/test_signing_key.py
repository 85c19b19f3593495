"""What `restore` says of the key that signs updates, which is in no backup."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from collector.cli import collector
from deploy.commands.site_key import make_key
from tests.fleet import Site

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a whole site."""
    folder = tmp_path_factory.mktemp("site-with-backup")
    with Site(folder) as site:
        out = folder / "school.tar.gz"
        words = ["backup", "--out", str(out), "--config", str(site.config)]
        CliRunner().invoke(collector, words, catch_exceptions=False)
    return out


def restore_message(folder: Path, backup: Path, key: Path | None) -> str:
    """What is said on a machine whose `signing` folder is that of another site, or empty."""
    site = folder / "site"
    if key is not None:
        shutil.copytree(key, site / "signing")
    state = folder / "state"
    fleet = {"site": "school", "folder": str(site), "broker_host": "localhost"}
    settings = {"database": f"sqlite:///{folder}/new.sqlite", "state": str(state), "fleet": fleet}
    config = folder / "collector.yaml"
    config.write_text(yaml.safe_dump(settings))
    words = ["restore", "--from", str(backup), "--config", str(config)]
    result = CliRunner().invoke(collector, words, catch_exceptions=False)
    return result.output + result.stderr


def test_the_right_key_another_one_and_none(backup: Path, tmp_path: Path) -> None:
    make_key(tmp_path / "made")
    own = backup.parent / "site" / "signing"
    cases = {"own": own, "other": tmp_path / "made", "none": None}
    texts = {}
    for name, key in cases.items():
        (tmp_path / name / "here").mkdir(parents=True)
        texts[name] = restore_message(tmp_path / name / "here", backup, key)
    assert "the one that devices know" in texts["own"]
    assert "another site's" in texts["other"]
    assert "roommood site replace-key" in texts["other"]
    assert "in no backup" in texts["none"]
