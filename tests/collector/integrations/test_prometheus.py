"""Our rules and dashboard in a real Prometheus, Debian's, on the metrics of a real collector."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from collector.access.script import token_for
from collector.storage import backup_note
from collector.storage.backup_note import BackupNote
from tests.collector.fleet.test_diagnosis import health, view
from tests.collector.integrations.test_metrics import HEALTH
from tests.collector.school import OWN, School
from tests.conftest import ROOT
from tests.free import free_port, wait

pytestmark = pytest.mark.once

EXAMPLES = ROOT / "deploy" / "examples"
RULES = EXAMPLES / "alerts.yaml"


def program(name: str) -> str:
    path = shutil.which(name, path=f"/usr/bin:/usr/local/bin:{os.environ['PATH']}")
    if path is None:
        pytest.skip(f"{name} is not installed (Debian: prometheus)")
    return path


def promtool(*words: str) -> str:
    command = [program("promtool"), *words]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def expressions() -> list[str]:
    """Of the dashboard's panels and of the rules."""
    board = json.loads((EXAMPLES / "grafana.json").read_text())
    panels = [one["expr"] for panel in board["panels"] for one in panel["targets"]]
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return panels + [rule["expr"] for group in groups for rule in group["rules"]]


def test_promtool_accepts_the_rules() -> None:
    assert "SUCCESS" in promtool("check", "rules", str(RULES))


def test_the_rules_tell_what_they_should_and_nothing_else(tmp_path: Path) -> None:
    text = (ROOT / "tests" / "deploy" / "alert_rules.yaml").read_text()
    cases = tmp_path / "cases.yaml"
    cases.write_text(text.replace("RULES]", f"{RULES}]"))
    assert "SUCCESS" in promtool("test", "rules", str(cases))
    cases.write_text(cases.read_text().replace("room: r2, state", "room: r1, state"))
    with pytest.raises(AssertionError, match="FAILED"):
        promtool("test", "rules", str(cases))


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[httpx.Client]:
    """One that scrapes a collector with a live room."""
    backup_note.write(tmp_path, BackupNote(1, "one", time.time(), 1000, 1))
    with School(tmp_path, backup={"folder": tmp_path}, state=tmp_path) as school:
        school.windows(OWN)
        status = view(health_report=health(**HEALTH)).status
        assert status is not None
        school.service.rooms.update_status(status)
        port, config = free_port(), tmp_path / "prometheus.yaml"
        scrape = {
            "job_name": "roommood",
            "authorization": {"credentials": token_for(school.engine)},
            "static_configs": [{"targets": [school.service.url.removeprefix("http://")]}],
        }
        settings = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES)],
            "scrape_configs": [scrape],
        }
        config.write_text(yaml.safe_dump(settings))
        command = [
            program("prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={tmp_path / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1/", timeout=30)
        try:
            wait(lambda: bool(query(client, 'up{job="roommood"} == 1')), 60)
            yield client
        finally:
            client.close()
            process.terminate()
            process.wait(30)


def query(client: httpx.Client, expression: str) -> list[Any]:
    try:
        answer = client.get("query", params={"query": expression})
    except httpx.TransportError:
        return []
    if answer.status_code == 503:  # not ready yet
        return []
    assert answer.status_code == 200, f"{expression}: {answer.text}"
    result: list[Any] = answer.json()["data"]["result"]
    return result


def test_a_real_prometheus_finds_every_series_and_evaluates_every_rule(
    prometheus: httpx.Client,
) -> None:
    names = set(re.findall(r"roommood_\w+", " ".join(expressions())))
    # What a collector without fleet, certificates and rejected messages has none of.
    only_named = {name for name in names if "certificate" in name} | {"roommood_messages_total"}
    for expression in expressions():
        query(prometheus, expression)  # understood
    there = names - only_named
    wait(lambda: all(query(prometheus, name) for name in there), 60)

    def health() -> set[str]:
        groups = prometheus.get("rules").json()["data"]["groups"]
        return {rule["health"] for group in groups for rule in group["rules"]}

    wait(lambda: health() == {"ok"}, 60)

    def states() -> list[str]:
        """There is no broker."""
        alerts = query(prometheus, 'ALERTS{alertname=~"RoommoodBroker.*"}')
        return [one["metric"]["alertstate"] for one in alerts]

    wait(lambda: states() in (["pending"], ["firing"]), 60)
