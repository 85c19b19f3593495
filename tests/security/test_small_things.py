"""Files, secrets, numbers and texts that other programs read."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from collector.access.secret import own_key
from collector.cli import collector
from collector.lessons.report import _no_formula
from collector.storage.database import connect
from edge.common.errors import UserError
from edge.permission.pin import LOCKED_S, LONGEST_S, SHORTEST, TRIES, Pin, hash_pin
from tests.collector.school import PASSWORD, School, post

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    with School(tmp_path_factory.mktemp("small")) as server:
        server.staff()
        yield server


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_database_and_keys_are_their_owners_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        state = tmp_path / "state"
        own_key(state)
        engine = connect(f"sqlite:///{state}/c.sqlite")
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO setting (key, value) VALUES ('x', '1')"))
            names = sorted(path.name for path in state.iterdir())
            modes = {path.name: path.stat().st_mode & 0o777 for path in state.iterdir()}
        engine.dispose()
    finally:
        os.umask(before)
    assert {"c.sqlite", "c.sqlite-wal", "c.sqlite-shm", "secret.key"} <= set(names)
    assert set(modes.values()) == {0o600}
    assert state.stat().st_mode & 0o777 == 0o700


def test_a_database_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    database = tmp_path / "c.sqlite"
    database.touch()
    database.chmod(0o644)
    connect(f"sqlite:///{database}").dispose()
    assert database.stat().st_mode & 0o777 == 0o600


SECRET = "hunter2-hunter2"
SETTINGS = f"""
database: postgresql+psycopg://127.0.0.1:1/roommood?user=me&password={SECRET}&connect_timeout=1
state: state
webhooks:
  - url: https://me:{SECRET}@hooks.example/x?token={SECRET}
    secret: whsec_{SECRET}
oidc:
  issuer: https://idp.example
  client_id: me
  client_secret: {SECRET}
  roles: {{teachers: teacher}}
"""


def test_no_secret_is_shown_wherever_it_stands(tmp_path: Path) -> None:
    config = tmp_path / "collector.yaml"
    config.write_text(SETTINGS)
    result = CliRunner().invoke(collector, ["show-config", "--config", str(config)])
    assert result.exit_code == 0, result.output
    assert "hooks.example" in result.output
    assert SECRET not in result.output
    with pytest.raises(UserError) as refusal:
        connect(f"postgresql+psycopg://127.0.0.1:1/roommood?password={SECRET}&connect_timeout=1")
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize("cell", ["=1+1", "a;=1+1", "a,=1+1", "a\t@x", 'a;"=1+1', "a\n-2", "|+3"])
def test_no_cell_begins_a_formula_behind_any_separator(cell: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerow([_no_formula(cell), "b"])
    for separator in ";,\t|":
        for line in out.getvalue().splitlines():
            for part in line.split(separator):
                assert part.strip(" \"'")[:1] not in ("=", "+", "@", "-") or "'" in part


@pytest.mark.parametrize("number", [0, -1, 2**31, 2**63, 10**30])
def test_a_number_that_no_row_has_is_no_fault_of_ours(school: School, number: int) -> None:
    with school.as_person("ann") as client:
        for path in ("/accounts/{}", "/accounts/{}/remove", "/account/tokens/{}/revoke"):
            status = post(client, path.format(number), role="it").status_code
            assert status in (404, 422), path
        path = f"/rooms/school/r101/links/{number}/cut"
        assert post(client, path).status_code in (404, 422)


def test_where_to_go_on_is_encoded(school: School) -> None:
    with school.client() as client:
        answer = client.get("/rooms/a%26wrong%3Dfailed%23/b")
    assert answer.headers["location"].partition("next=")[2].count("&") == 0
    assert "#" not in answer.headers["location"]


def test_signing_in_ends_the_session_before(school: School) -> None:
    with school.client() as client:
        post(client, "/sign-in", name="ann", password=PASSWORD)
        with school.client(cookies=client.cookies) as thief:
            assert thief.get("/api/rooms").status_code == 200
            post(client, "/sign-in", name="ian", password=PASSWORD)
            assert thief.get("/api/rooms").status_code == 401


def test_a_pin_takes_months_to_guess() -> None:
    now, tries = [0.0], 0
    pin = Pin(hash_pin("246810"), lambda: now[0])
    for _ in range(12):
        for _ in range(TRIES):
            assert not pin.opens("000000")
            tries += 1
        assert pin.is_locked
        now[0] += LOCKED_S
        while pin.is_locked:
            now[0] += LOCKED_S
    a_day = TRIES * 86_400 / LONGEST_S
    assert now[0] > 5 * LONGEST_S
    assert 10**SHORTEST / 2 / a_day > 365
    assert pin.opens("246810")
