"""`roommood site init`, run again and in the wrong place; what it makes is tried in Mosquitto."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from collector.fleet.files import SiteFiles
from deploy.commands.site import site
from edge.common.errors import UserError

pytestmark = pytest.mark.once


def run(*words: str) -> list[str]:
    result = CliRunner().invoke(site, words, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.output.splitlines()


def init(folder: Path, host: str = "localhost", name: str = "school") -> list[str]:
    places = {"folder": "site", "state": "state", "config": "collector.yaml"}
    options = [word for key, path in places.items() for word in (f"--{key}", str(folder / path))]
    return run("init", "--site", name, "--host", host, *options)


def content(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    first = init(tmp_path)
    after = content(tmp_path)
    assert len(first) == 8
    assert len(after) == 14
    assert init(tmp_path) == first[-1:]
    assert content(tmp_path) == after


def test_other_hosts_are_refused_with_the_remedy(tmp_path: Path) -> None:
    init(tmp_path)
    with pytest.raises(UserError, match=r"broker.pem: is for localhost, 127.0.0.1: use the same"):
        init(tmp_path, "elsewhere")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("a file")
    with pytest.raises(UserError, match=r"site.*: run it as root, or choose --folder"):
        init(tmp_path)
    with pytest.raises(UserError, match="not a valid site name"):
        init(tmp_path, name="My School")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("crl.pem", "garbage"),
        ("broker.key", "garbage"),
        ("mosquitto.conf", "listner 8883\n"),
        ("mosquitto.acl", "user\n"),
    ],
)
def test_a_broken_file_is_found_before_the_broker_reads_it(
    tmp_path: Path, file: str, text: str
) -> None:
    init(tmp_path)
    assert "ok" in run("check", "--folder", str(tmp_path / "site"))[0]
    (SiteFiles(tmp_path / "site").broker / file).write_text(text)
    with pytest.raises(UserError, match="Mosquitto does not start with it"):
        run("check", "--folder", str(tmp_path / "site"))


def test_rules_of_an_older_version_are_said_with_what_to_change(tmp_path: Path) -> None:
    """Without failing: the unit that reads a list of revoked certificates anew asks first."""
    init(tmp_path)
    folder = str(tmp_path / "site")
    acl = SiteFiles(tmp_path / "site").acl
    own = acl.read_text()
    assert not any("older than" in line for line in run("check", "--folder", folder))
    acl.write_text(f"{own}\nuser nodered\ntopic read roommood/v1/+/+/mood\n")
    assert not any("older than" in line for line in run("check", "--folder", folder))
    rules = [line for line in own.splitlines() if line.startswith(("pattern", "topic"))]
    assert len(rules) > 10
    for rule in rules:
        acl.write_text("".join(f"{line}\n" for line in own.splitlines() if line != rule))
        lines = run("check", "--folder", folder)
        assert [line for line in lines if "older than" in line and f"add '{rule}'" in line], rule
        assert "sudo systemctl restart roommood-broker" in "".join(lines)
    for more in (
        "pattern read roommood/v1/#",
        "topic readwrite #",
        "pattern write roommood/v1/+/+/mood",
    ):
        acl.write_text(f"{more}\n{own}")
        lines = run("check", "--folder", folder)
        assert [line for line in lines if f"remove '{more}'" in line], more


def test_an_update_is_signed_with_what_init_made(tmp_path: Path) -> None:
    init(tmp_path)
    settings = tmp_path / "change.yaml"
    settings.write_text("frames_per_second: 1\n")
    key = str(tmp_path / "site" / "signing" / "site.key")
    words = ("bundle", "--key", key, "--site", "school", "--number", "1")
    out = tmp_path / "1.bundle"
    result = run(*words, "--settings", str(settings), "--out", str(out))
    assert "update 1" in result[0]
    assert out.stat().st_size > 1000
    with pytest.raises(UserError, match="nothing to sign"):
        run(*words, "--out", str(out))
