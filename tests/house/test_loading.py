"""What is loaded before a command is called: help and small commands are quick, and a device needs
none of a collector's packages."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import packages_distributions, requires

from packaging.requirements import Requirement

from tests.conftest import ROOT

STAGES = {
    "--help": ["deploy.commands.cli"],
    "a device": ["edge.cli", "deploy.commands.device"],
    "an agent": ["edge.agent", "edge.commands.check", "edge.commands.doctor", "edge.device.sync"],
    "a collector": ["collector.cli", "deploy.commands.site"],
}
"""In the order in which one interpreter loads them."""

LOAD = """
import importlib, json, sys
stages = {}
for stage, modules in json.loads(sys.argv[1]).items():
    for name in modules:
        importlib.import_module(name)
    stages[stage] = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps(stages))
"""


def packages_of(extra: str) -> set[str]:
    """The names to import of what an extra brings; of what every installation has for ''."""
    everywhere = (Requirement(one) for one in requires("roommood") or [])
    distributions = {
        one.name.lower()
        for one in everywhere
        if one.marker is None or one.marker.evaluate({"extra": extra})
    }
    return {
        name
        for name, brought_by in packages_distributions().items()
        if distributions & {one.lower() for one in brought_by}
    }


def test_what_is_loaded_before_a_command_is_called() -> None:
    command = [sys.executable, "-c", LOAD, json.dumps(STAGES)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    packages = {stage: set(names) for stage, names in json.loads(run.stdout).items()}
    base, collectors = packages_of(""), packages_of("collector") - packages_of("")
    assert {"numpy", "cv2", "pydantic"} <= base
    assert {"fastapi", "sqlalchemy", "babel", "argon2"} <= collectors
    assert packages["--help"] & (base | collectors) == {"click"}
    assert not packages["a device"] & ({"numpy", "cv2"} | collectors)
    assert "cv2" in packages["an agent"]
    assert not packages["an agent"] & collectors
    late = {"fastapi", "uvicorn", "httpx", "jinja2", "segno", "alembic"}
    assert not packages["a collector"] & late
