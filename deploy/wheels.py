"""`python -m deploy.wheels`: the wheels of an installation on another machine, not emulated.

For devices that have no network when they are installed, and to see that every package has one.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
GLIBC = {"3.10": 35, "3.11": 36, "3.12": 39, "3.13": 41}
"""Of the systems that come with each Python: Ubuntu 22.04, Debian 12, Ubuntu 24.04, Debian 13."""
OLDEST_GLIBC = 17
PARTS = ("calendar", "kiosk", "noise", "pi", "school")
"""Those that installers install: each has its list in deploy/pins."""
NEEDS = ("click", "packaging")
FETCHES = ("pydantic>=2.11,<3", "pyyaml>=6")
"""For `--detector yunet`, whose file is checked as on a device."""
INSIDE = "ROOMMOOD_WHEELS"
"""Set in the environment that has them, so that nothing is tried twice."""


def pins(extras: Iterable[str], python: str, machine: str) -> str:
    """The lines of deploy/pins for such a machine, without markers, for pip's `--requirement`.

    With what builds roommood itself, there. pip would go by the markers of the machine it runs on.
    """
    from packaging.requirements import Requirement

    place = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "platform_machine": machine,
        "sys_platform": "linux",
    }
    lines: dict[str, str] = {}
    for extra in (*extras, "build"):
        text = (HERE / "pins" / f"{extra}.txt").read_text(encoding="utf-8")
        for pin in re.findall(r"^[^#\s].*(?:\n {4}.*)*", text, re.MULTILINE):
            head, hashes = pin.split(" \\\n", 1)
            requirement = Requirement(head)
            if requirement.marker is None or requirement.marker.evaluate(place):
                lines[requirement.name] = (
                    f"{requirement.name}{requirement.specifier} \\\n{hashes}\n"
                )
    return "".join(lines.values())


def command(python: str, machine: str, pins_file: Path) -> list[str]:
    """pip's, for the other machine; it builds nothing, and takes no file whose hash is another."""
    platforms = [f"manylinux_2_{n}_{machine}" for n in range(GLIBC[python], OLDEST_GLIBC - 1, -1)]
    platforms += [f"manylinux2014_{machine}", f"linux_{machine}"]
    target = [part for name in platforms for part in ("--platform", name)]
    return [
        *("--quiet", "--disable-pip-version-check", "--only-binary=:all:"),
        *("--python-version", python, "--implementation", "cp", *target),
        *("--no-deps", "--require-hashes", "--requirement", str(pins_file)),
    ]


def download(extras: Iterable[str], python: str, machine: str, out: Path) -> int:
    """Into that folder; pip's exit status."""
    from edge.common.child import python_command

    with tempfile.TemporaryDirectory() as folder:
        pins_file = Path(folder) / "pins.txt"
        pins_file.write_text(pins(extras, python, machine), encoding="utf-8")
        options = command(python, machine, pins_file)
        words = python_command("pip", "download", "--dest", str(out), *options)
        return subprocess.run(words, check=False).returncode


def fetch() -> None:
    """The command, once Python has what it needs; wrong input is one line, and status 2."""
    import click

    from edge.common.errors import UserError

    @click.command()
    @click.option("--python", type=click.Choice(list(GLIBC)), required=True)
    @click.option("--machine", default="aarch64", show_default=True)
    @click.option(
        "--extra",
        "extras",
        type=click.Choice(PARTS),
        multiple=True,
        default=("pi", "calendar"),
        show_default=True,
    )
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
        if download(extras, python, machine, out):
            raise UserError(
                f"not every package has a wheel for Python {python} on {machine}",
                out,
                "see pip's message above; choose another --python or --extra",
            )
        if detector == "yunet":
            from models.fetch import fetch

            fetch(detector, out / "yunet.onnx")
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
                [str(python), "-m", "pip", "install", "--quiet", *NEEDS, *FETCHES], check=True
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
