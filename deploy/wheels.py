"""`python -m deploy.wheels`: the wheels of an installation on another machine, not emulated.

For devices that have no network when they are installed, and to see that every package has one.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
GLIBC = {"3.10": 35, "3.11": 36, "3.12": 39, "3.13": 41}
"""Of the systems that come with each Python: Ubuntu 22.04, Debian 12, Ubuntu 24.04, Debian 13."""
OLDEST_GLIBC = 17
BUILDS = ("setuptools>=77", "setuptools-scm>=8", "wheel")
"""To build roommood itself, there."""
NEEDS = ("click", "packaging")
OLD = ("tomli; python_version < '3.11'",)
FETCHES = ("pydantic>=2.11,<3", "pyyaml>=6")
"""For `--detector yunet`, whose file is checked as on a device."""
INSIDE = "ROOMMOOD_WHEELS"
"""Set in the environment that has them, so that nothing is tried twice."""


def requirements(extras: list[str], python: str, machine: str) -> list[str]:
    """What roommood needs on such a machine, without markers, as pyproject.toml says it."""
    from packaging.requirements import Requirement

    project = _project()
    place = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "platform_machine": machine,
        "sys_platform": "linux",
    }
    lines: list[str] = []
    queue, visits = list(extras), set[str]()
    texts = list(project["dependencies"])
    while queue:
        extra = queue.pop()
        if extra not in visits:
            visits.add(extra)
            own = [Requirement(text) for text in project["optional-dependencies"][extra]]
            queue += [name for one in own if one.name == "roommood" for name in one.extras]
            texts += [str(one) for one in own if one.name != "roommood"]
    for needed in map(Requirement, texts):
        if needed.marker is None or needed.marker.evaluate(place):
            options = f"[{','.join(sorted(needed.extras))}]" if needed.extras else ""
            lines.append(f"{needed.name}{options}{needed.specifier}")
    return sorted(set(lines))


def _project() -> dict[str, Any]:
    """The section `project` of the checkout's pyproject.toml."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    content: dict[str, Any] = tomllib.loads(
        (HERE.parent / "pyproject.toml").read_text(encoding="utf-8")
    )
    section: dict[str, Any] = content["project"]
    return section


def command(python: str, machine: str, packages: list[str], constraints: Path) -> list[str]:
    """pip's, for the other machine; it builds nothing."""
    platforms = [f"manylinux_2_{n}_{machine}" for n in range(GLIBC[python], OLDEST_GLIBC - 1, -1)]
    platforms += [f"manylinux2014_{machine}", f"linux_{machine}"]
    target = [part for name in platforms for part in ("--platform", name)]
    return [
        *("--quiet", "--disable-pip-version-check", "--only-binary=:all:"),
        *("--python-version", python, "--implementation", "cp", *target),
        *("--constraint", str(constraints), *packages, *BUILDS),
    ]


def fetch() -> None:
    """The command, once Python has what it needs; wrong input is one line, and status 2."""
    import click

    from edge.common.child import python_command
    from edge.common.errors import UserError

    @click.command()
    @click.option("--python", type=click.Choice(list(GLIBC)), required=True)
    @click.option("--machine", default="aarch64", show_default=True)
    @click.option("--extra", "extras", multiple=True, default=("pi", "calendar"), show_default=True)
    @click.option(
        "--detector", type=click.Choice(["haar", "yunet"]), default="haar", show_default=True
    )
    @click.option("--out", type=click.Path(path_type=Path), required=True)
    def wheels(
        python: str, machine: str, extras: tuple[str, ...], detector: str, out: Path
    ) -> None:
        """Fetch all wheels of an installation into a folder, for `install-agent --wheels`.

        With `--detector yunet` its file too, for `install-agent --wheels FOLDER --detector yunet`.
        """
        name = "3.11" if python in ("3.10", "3.11") else "3.13"
        packages = requirements(list(extras), python, machine)
        options = command(python, machine, packages, HERE / f"constraints-{name}.txt")
        process = subprocess.run(
            python_command("pip", "download", "--dest", str(out), *options), check=False
        )
        if process.returncode:
            raise UserError(
                f"not every package has a wheel for Python {python} on {machine}",
                out,
                "see pip's message above; choose another --python or --extra",
            )
        if detector == "yunet":
            from models.fetch import fetched

            fetched(detector, out / "yunet.onnx")
        click.echo(f"{out}: {len(list(out.glob('*.whl')))} wheels")

    try:
        wheels.main(prog_name="python -m deploy.wheels")
    except UserError as error:
        click.echo(f"roommood: {error}", err=True)
        sys.exit(2)


def main() -> None:
    """Under any Python with venv: what this needs is brought into build/wheels first."""
    environment = HERE.parent / "build" / "wheels"
    python = environment / "bin" / "python"
    if any(importlib.util.find_spec(name) is None for name in NEEDS) and not os.environ.get(INSIDE):
        if not _has(python):
            venv.create(environment, clear=True, with_pip=True)
            subprocess.run(
                [str(python), "-m", "pip", "install", "--quiet", *NEEDS, *OLD, *FETCHES], check=True
            )
        inside = os.environ | {INSIDE: "yes"}
        words = [str(python), "-m", "deploy.wheels", *sys.argv[1:]]
        sys.exit(subprocess.run(words, env=inside, cwd=HERE.parent, check=False).returncode)
    fetch()


def _has(python: Path) -> bool:
    code = f"import {', '.join(NEEDS)}"
    return (
        python.exists()
        and subprocess.run([str(python), "-c", code], capture_output=True, check=False).returncode
        == 0
    )


if __name__ == "__main__":
    main()
