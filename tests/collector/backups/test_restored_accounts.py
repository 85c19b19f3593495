"""A restore brings back who was removed since, and old passwords: it says so, with the names."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from collector.cli import collector
from collector.retention import restored_accounts
from collector.storage.database import connect


def call(config: Path, *words: str) -> Result:
    return CliRunner().invoke(collector, [*words, "--config", str(config)], catch_exceptions=False)


def place(folder: Path, name: str, url: str = "") -> Path:
    config = folder / f"{name}.yaml"
    own = {"database": url or f"sqlite:///{folder}/{name}.sqlite", "state": str(folder / name)}
    config.write_text(yaml.safe_dump(own))
    return config


@pytest.mark.once
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_names_that_come_back_are_said(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = request.getfixturevalue("postgres").fresh() if kind == "postgresql" else ""
    old, new = place(tmp_path, "old"), place(tmp_path, "new", url)
    file = tmp_path / "b.tar.gz"
    for name in ("ann", "otto"):
        words = ("account", "add", name, "--role", "it", "--password-stdin")
        CliRunner().invoke(
            collector, [*words, "--config", str(old)], input="correct horse battery\n"
        )
    call(old, "backup", "--out", str(file))
    call(old, "account", "remove", "otto")
    answer = call(new, "restore", "--from", str(file)).stderr
    assert "whoever was removed since is back" in answer
    assert "accounts: ann, otto" in answer
    assert "the last entry of its audit log, 20" in answer
    monkeypatch.setattr(restored_accounts, "MOST_NAMES", 1)
    engine = connect(yaml.safe_load(new.read_text())["database"])
    assert "accounts: ann and 1 more" in list(restored_accounts.restored_accounts(engine))
    engine.dispose()


def test_where_there_is_no_account_nothing_is_said(tmp_path: Path) -> None:
    old, new = place(tmp_path, "old"), place(tmp_path, "new")
    file = tmp_path / "b.tar.gz"
    call(old, "backup", "--out", str(file))
    assert "accounts" not in call(new, "restore", "--from", str(file)).stderr
