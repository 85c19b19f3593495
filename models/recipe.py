"""All shipped packs made again, from the photographs and faces to the cards, with one command.

    python -m models.recipe --data ../shared/data --out build

Runs that do not wait for each other go side by side (`--jobs`). What was stopped goes on when the
same command is given again; what is finished is left as it is.
"""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import click

from edge.common.child import python_command
from edge.common.errors import Refusal
from models.training.runs import CURVE

BOTH = "--truth both --network teacher --rate 0.002"
STAGES: dict[str, str] = {
    "teacher-1": f"{BOTH} --epochs 24 --mixup 0.5",
    "teacher": f"{BOTH} --epochs 45 --start teacher-1",
    "fer7": "--truth ferplus --epochs 60 --teacher teacher",
    "fer7-fine": "--truth ferplus --epochs 14 --rate 0.0015 --strength 0.35 --teacher teacher "
    "--start fer7",
    "fer7-small": "--truth ferplus --network small --epochs 70 --teacher teacher",
    "fer7-small-fine": "--truth ferplus --network small --epochs 16 --rate 0.0015 --strength 0.35 "
    "--teacher teacher --start fer7-small",
    "fer2013": "--truth fer2013 --epochs 18 --rate 0.002 --strength 0.35 --teacher teacher "
    "--start fer7-fine",
    "fer2013-2": "--truth fer2013 --epochs 22 --rate 0.003 --teacher teacher --trust 0.8 "
    "--start fer2013",
    "fer2013-small": "--truth fer2013 --network small --epochs 20 --rate 0.002 --strength 0.35 "
    "--teacher teacher --start fer7-small-fine",
    "fer2013-small-2": "--truth fer2013 --network small --epochs 26 --rate 0.003 --teacher teacher "
    "--trust 0.8 --start fer2013-small",
    "fer2013-small-3": "--truth fer2013 --network small --epochs 14 --rate 0.002 --strength 0.5 "
    "--teacher fer2013-2 --teacher fer2013-small-2 --trust 0.7 --start fer2013-small-2",
}
"""A run's name and its options of `roommood model train`; teachers and starts are runs here."""

PACKS = {
    "fer7": "fer7-fine",
    "fer7-small": "fer7-small-fine",
    "fer2013": "fer2013-2",
    "fer2013-small": "fer2013-small-3",
}
"""A pack's name and the run that it is made of."""


REFERS = ("--teacher", "--start")


def needs(options: str) -> list[str]:
    """The runs that a run learns from or begins with."""
    words = shlex.split(options)
    return [to for word, to in pairwise(words) if word in REFERS]


def wanted(stages: Mapping[str, str], last: list[str]) -> list[str]:
    """Those runs and all that they need, in an order in which they can be done."""
    found: list[str] = []
    for name in last:
        if name not in stages:
            raise Refusal(f"{name}: no such run: choose from {', '.join(stages)}")
        for one in (*wanted(stages, needs(stages[name])), name):
            if one not in found:
                found.append(one)
    return found


def finished(run: Path, options: str) -> bool:
    """Whether a run has had all its epochs."""
    words = shlex.split(options)
    try:
        curve = json.loads((run / CURVE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return len(curve) >= int(words[words.index("--epochs") + 1])


def arguments(name: str, options: str, data: Path, out: Path) -> list[str]:
    """What `roommood` is given for a run."""
    words = shlex.split(options)
    places = [
        str(out / word) if before in REFERS else word for before, word in pairwise(["", *words])
    ]
    fixed = ["--data", str(data / "fer2013"), "--negatives", str(out / "negatives.npz")]
    return ["model", "train", *fixed, *places, "--out", str(out / name)]


class Scheduler:
    """The runs that are under way, each a process that writes into a log file beside its folder."""

    def __init__(self, data: Path, out: Path, stages: Mapping[str, str]) -> None:
        self._data, self._out, self._stages = data, out, stages
        self._under_way: dict[str, subprocess.Popen[bytes]] = {}

    def finish(self, names: list[str], jobs: int) -> None:
        """Until all are finished; raises Refusal for one that failed, whatever others do."""
        left = [n for n in names if not finished(self._out / n, self._stages[n])]
        while left or self._under_way:
            for name in [n for n in left if not set(needs(self._stages[n])) & {*left}]:
                if len(self._under_way) < jobs and name not in self._under_way:
                    self._begin(name)
            time.sleep(0.2)
            for name, process in list(self._under_way.items()):
                if process.poll() is None:
                    continue
                del self._under_way[name]
                left.remove(name)
                if process.returncode:
                    log = self._out / f"{name}.log"
                    raise Refusal(f"{name}: failed: read {log}, then give the same command again")
                click.echo(f"{name}: finished")

    def stop(self) -> None:
        for process in self._under_way.values():
            process.terminate()
        for process in self._under_way.values():
            process.wait()

    def _begin(self, name: str) -> None:
        words = arguments(name, self._stages[name], self._data, self._out)
        click.echo(f"{name}: roommood {shlex.join(words)}")
        with (self._out / f"{name}.log").open("ab") as log:
            self._under_way[name] = subprocess.Popen(
                python_command("deploy.commands.cli", *words), stdout=log, stderr=log
            )


def run(module: str, *words: str) -> None:
    """A command of ours that ends soon; raises Refusal when it fails."""
    if subprocess.run(python_command(module, *words), check=False).returncode:
        raise Refusal(f"{shlex.join((module, *words))}: failed")


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="For the runs.")
@click.option("--packs", type=click.Path(path_type=Path), help="For the packs; none without it.")
@click.option("--only", multiple=True, type=click.Choice(list(PACKS)), help="Some of the packs.")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="At a time.")
def main(data: Path, out: Path, packs: Path | None, only: tuple[str, ...], jobs: int) -> None:
    """Make the shipped packs again."""
    out.mkdir(parents=True, exist_ok=True)
    photos = [f"--photos={data / folder}" for folder in ("photos_caltech", "photos_voc")]
    if not (out / "negatives.npz").exists():
        run("models.training.negatives", *photos, "--out", str(out / "negatives.npz"))
    chosen = only or tuple(PACKS)
    scheduler = Scheduler(data, out, STAGES)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        scheduler.finish(wanted(STAGES, [PACKS[pack] for pack in chosen]), jobs)
    finally:
        scheduler.stop()
    if packs is None:
        return
    for pack in chosen:
        folder = str(packs / pack)
        run(
            "deploy.commands.cli",
            "model",
            "quantize",
            "--run",
            str(out / PACKS[pack]),
            "--out",
            folder,
        )
        faces, photographs = data / "fer2013" / "public_test.npz", data / "faces_london"
        known = ("--data", str(faces), "--photos", str(photographs))
        run("deploy.commands.cli", "model", "card", "--model", folder, *known)


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except Refusal as refusal:
        sys.exit(f"roommood: {refusal}")
    except click.Abort:
        sys.exit("roommood: stopped: the same command goes on where it was")
