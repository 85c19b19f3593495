"""The house's walls, what may import what: `[tool.importlinter]` in pyproject.toml."""

from __future__ import annotations

import ast
import builtins
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.house.walls import Walls

PACKAGES = ("edge", "collector", "models", "deploy")
PIXELS = "Pixels stay"
PIXEL_LIBRARIES = {"cv2", "numpy", "PIL", "picamera2", "tflite_runtime", "ai_edge_litert"}
MAY_SEE = {"edge.agent", "edge.aim", "edge.camera", "edge.cli", "edge.commands", "edge.vision"}
"""Everything else in `edge/` is a room without pixels, a new folder too."""
BY_NAME = {"__import__", "import_module", "eval", "exec"}
"""What imports behind import-linter's back."""
MOST_LOOSE = 6


@pytest.fixture(scope="module")
def walls() -> Walls:
    return Walls()


def members(package: str) -> set[str]:
    """The folders and files in it, as modules."""
    return {
        f"{package}.{path.stem}"
        for path in (ROOT / package).iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    } - {f"{package}.__init__"}


WALLED_MODULES = sorted(members("edge") - MAY_SEE)


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; sys.path.insert(0, '.'); from importlinter import cli; " + (
        "sys.exit(cli.lint_imports(no_cache=True))"
    )
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )


def test_every_rule_is_kept() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_line_that_breaks_a_rule_is_named(tmp_path: Path) -> None:
    """At the top of a file or inside a function, as the tool reads it."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("packs", "static")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, line in (
        ("edge/kiosk/view.py", "from edge.commands.doctor import _camera"),
        ("edge/outbox/merge.py", "def look() -> None:\n    from edge.commands import qr"),
    ):
        with (tmp_path / file).open("a", encoding="utf-8") as source:
            source.write(f"\n{line}\n")
    result = lint(tmp_path)
    output = result.stdout
    assert result.returncode == 1, output + result.stderr
    assert any(line.startswith(PIXELS) and "BROKEN" in line for line in output.splitlines()), output
    for room, command in (("edge.kiosk", "edge.commands"), ("edge.outbox", "edge.commands")):
        assert f"{room} is not allowed to import {command}" in output, output


@pytest.mark.parametrize(
    ("importer", "target", "rule"),
    [
        ("edge.window.tally", "cv2", PIXELS),
        ("edge.outbox.merge", "edge.camera.base", PIXELS),
        ("edge.protocol.counts", "edge.vision.layout", PIXELS),
        ("collector.api.fields", "edge.window.tally", "Of the agent's packages"),
        ("collector.api.fields", "edge.commands.qr", "Of the agent's packages"),
        ("collector.live.rooms", "models.data.faces", "What trains"),
        ("edge.cli", "collector.config", "The packages"),
        ("edge.common.errors", "edge.protocol.code", "The rooms of edge"),
        ("edge.aim.session", "edge.commands.doctor", "The rooms of edge"),
        ("collector.lessons.report", "collector.pages.panel", "The rooms of collector"),
        ("deploy.commands.site_key", "deploy.commands.site", "No file or folder"),
        ("deploy.commands.ports", "deploy.bench.cli", "The rooms of deploy"),
    ],
)
def test_an_import_breaks_its_rule(walls: Walls, importer: str, target: str, rule: str) -> None:
    assert {importer, target} <= walls.graph.modules
    contract = walls.contract(rule)
    assert walls.broken_contracts([contract]) == []
    with walls.with_import(importer, target):
        assert walls.broken_contracts([contract]) == [contract["name"]]


def test_no_rule_has_an_exception(walls: Walls) -> None:
    """What is ignored is a door for whoever imports the one who may."""
    assert [one["name"] for one in walls.contracts if "ignore_imports" in one] == []


def test_every_room_is_walled_but_those_that_may_see(walls: Walls) -> None:
    contract = walls.contract(PIXELS)
    assert sorted(contract["source_modules"]) == WALLED_MODULES
    # A library that only those use who see is one for pixels, whoever brings it.
    used_by = {
        room: {
            name.partition(".")[0]
            for module in (room, *walls.graph.find_descendants(room))
            for name in walls.graph.find_modules_directly_imported_by(module)
        }
        for room in (*WALLED_MODULES, "edge.camera", "edge.vision")
    }
    libraries = (used_by["edge.camera"] | used_by["edge.vision"]) - sys.stdlib_module_names
    for room in WALLED_MODULES:
        libraries -= used_by[room]
    assert libraries <= PIXEL_LIBRARIES <= set(contract["forbidden_modules"])


@pytest.mark.parametrize("room", WALLED_MODULES)
def test_no_way_leads_from_a_room_to_pixels(walls: Walls, room: str) -> None:
    """Each module that pixels can be had through, and each command's, imported into the room."""
    contract = walls.contract(PIXELS) | {"source_modules": [room]}
    sources = {"edge.camera", "edge.vision", "edge.commands"}
    doors = (PIXEL_LIBRARIES | sources) & walls.graph.modules
    for source in sources:
        doors |= walls.graph.find_descendants(source)
    for door in tuple(doors):
        doors |= walls.graph.find_downstream_modules(door)
    assert len(doors) > 100
    importer = min(walls.graph.find_descendants(room), default=room)
    open_doors = []
    for door in sorted(doors):
        with walls.with_import(importer, door):
            if not walls.broken_contracts([contract]):
                open_doors.append(door)
    assert open_doors == []


def test_who_imports_by_name_is_known() -> None:
    """Behind the rules' back: cameras by their source, and commands when they are asked for."""
    importers = set()
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            names = set()
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                match node:
                    case ast.Name(id=name) | ast.alias(name=name):
                        names.add(name)
                    case ast.Attribute(attr=name) if name not in dir(builtins):
                        names.add(name)  # `model.eval()` is none of ours
            if names & BY_NAME:
                importers.add(str(file.relative_to(ROOT)))
    assert importers == {"edge/camera/__init__.py", "deploy/commands/cli.py", "models/cli.py"}


def test_nothing_after_tally_loads_a_pixel_library() -> None:
    """The rules read the code; this is what an interpreter does with it, all modules in one."""
    files = [
        path for room in WALLED_MODULES for path in (ROOT / room.replace(".", "/")).glob("*.py")
    ]
    after = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files]
    assert len(after) > 60
    code = f"import sys, {', '.join(after)}; print(sorted(set(sys.modules) & {PIXEL_LIBRARIES!r}))"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("package", ["edge", "collector"])
def test_few_files_stand_outside_the_folders(package: str) -> None:
    loose = {path.name for path in (ROOT / package).glob("*.py")} - {"__init__.py"}
    assert len(loose) <= MOST_LOOSE, loose


def test_no_file_is_past_four_hundred_lines() -> None:
    for package in (*PACKAGES, "tests"):
        for path in (ROOT / package).rglob("*.py"):
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path
