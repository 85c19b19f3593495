"""`python -m deploy.wheels`: the wheels of an installation on another machine, not emulated.

For devices that have no network when they are installed, and to see that every package has one.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import click

from edge.common.child import python_command
from edge.common.errors import UserError

HERE = Path(__file__).resolve().parent
GLIBC = {"3.10": 35, "3.11": 36, "3.12": 39, "3.13": 41}
"""Of the systems that come with each Python: Ubuntu 22.04, Debian 12, Ubuntu 24.04, Debian 13."""
OLDEST_GLIBC = 17
BUILDS = ("setuptools>=77", "setuptools-scm>=8", "wheel")
"""To build roommood itself, there."""


def requirements(extras: list[str], python: str, machine: str) -> list[str]:
    """What roommood needs on such a machine, without markers."""
    from importlib.metadata import requires

    from packaging.requirements import Requirement

    place = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "platform_machine": machine,
        "sys_platform": "linux",
    }
    lines: list[str] = []
    queue = [*extras, ""]
    visits: set[str] = set()
    while queue:
        extra = queue.pop()
        if extra in visits:
            continue
        visits.add(extra)
        for text in requires("roommood") or []:
            needed = Requirement(text)
            marker = needed.marker
            # Those that are needed anyway are taken once, with no extra.
            own = extra == "" or "extra" in str(marker)
            if not own or (marker and not marker.evaluate({**place, "extra": extra})):
                continue
            if needed.name == "roommood":
                queue += needed.extras
                continue
            options = f"[{','.join(sorted(needed.extras))}]" if needed.extras else ""
            lines.append(f"{needed.name}{options}{needed.specifier}")
    return sorted(set(lines))


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


@click.command()
@click.option("--python", type=click.Choice(list(GLIBC)), required=True)
@click.option("--machine", default="aarch64", show_default=True)
@click.option("--extra", "extras", multiple=True, default=("pi", "calendar"), show_default=True)
@click.option("--detector", type=click.Choice(["haar", "yunet"]), default="haar", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(python: str, machine: str, extras: tuple[str, ...], detector: str, out: Path) -> None:
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


if __name__ == "__main__":
    main()
