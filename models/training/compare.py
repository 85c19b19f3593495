"""`roommood model compare` and `variants`: packs side by side, on the same faces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from models.data.faces import Faces
from models.data.sources import load, splits
from models.measure.candidate import Candidate
from models.measure.scoring import figures
from models.training.torch_extra import need_torch

path_option = click.Path(path_type=Path)
FIGURES = ("accuracy", "macro_precision", "macro_recall", "macro_f1")
TEACHERS = Path(__file__).resolve().parents[1] / "teachers"
STARTS = {"small": "fer7-small", "standard": "fer7", "wide": str(TEACHERS / "wide.npz")}
"""For each network, the pack or the teacher whose weights a variant begins with."""


def comparison_rows(which: tuple[str, ...], faces: Faces) -> list[dict[str, Any]]:
    """For each pack its size and cost, and accuracy and macro figures on the same faces."""
    rows = []
    for name in which:
        candidate = Candidate(name)
        pack = candidate.pack
        report = figures(candidate, faces)
        rows.append(
            {
                "model": pack.name if pack else name,
                "network": pack.network if pack else "",
                **{key: report[key] for key in ("n", "parameters", "size_bytes", *FIGURES, "ece")},
                "intervals": report["intervals"],
                "us_per_face": report["us_per_face"],
                "runtime": f"{report['runtime']} {report['form']}".strip(),
            }
        )
    return rows


def table(rows: list[dict[str, Any]]) -> list[str]:
    """The rows in Markdown, accuracy with its 95 % interval."""
    head = ("model", "network", "weights", "bytes", *FIGURES, "ece", "µs per face")
    lines = ["| " + " | ".join(head) + " |", "| --- " * len(head) + "|"]
    for row in rows:
        low, high = row["intervals"]["accuracy"]
        cells = [
            row["model"],
            row["network"],
            f"{row['parameters'] or 0:,}",
            f"{row['size_bytes']:,}",
            f"{row['accuracy']:.4f} [{low:.4f}, {high:.4f}]",
            *(f"{row[name]:.4f}" for name in (*FIGURES[1:], "ece")),
            f"{row['us_per_face']:.0f} ({row['runtime']})",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, "", f"On the same {rows[0]['n']} faces."]


def _say(rows: list[dict[str, Any]], as_json: bool) -> None:
    click.echo(json.dumps(rows) if as_json else "\n".join(table(rows)))


@click.command()
@click.option(
    "--model", "which", multiple=True, required=True, help="A pack's name or folder; repeatable."
)
@click.option("--data", required=True, type=path_option, help="Faces as `evaluate` reads them.")
@click.option("--usage", help="The rows of a .csv: Training, PublicTest or PrivateTest.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def compare(which: tuple[str, ...], data: Path, usage: str | None, as_json: bool) -> None:
    """Print packs of the same labels in one table."""
    _say(comparison_rows(which, load(data, usage)), as_json)


@click.command()
@click.option("--data", required=True, help="As for `train`.")
@click.option("--out", required=True, type=path_option, help="Folder for runs and packs.")
@click.option(
    "--epochs",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="Passes over the faces.",
)
@click.option("--from-nothing", is_flag=True, help="Do not start from the shipped packs' weights.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of everything random.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def variants(
    data: str, out: Path, epochs: int, from_nothing: bool, seed: int, as_json: bool
) -> None:
    """Train all three networks on pictures of one's own, and print their packs in one table.

    Figures are of the faces held out, on which the epoch and thresholds were chosen too.
    """
    need_torch()
    from models.training.packing import quantize
    from models.training.runs import Settings
    from models.training.train import train

    packs = []
    for network, pack_name in STARTS.items():
        start = None if from_nothing else pack_name
        settings = Settings(data=data, network=network, epochs=epochs, start=start, seed=seed)  # type: ignore[arg-type]  # the keys are names of networks
        click.echo(f"{network}:", err=True)
        train(out / network, settings, lambda line: click.echo(line, err=True))
        quantize(out / network, out / "packs" / network)
        packs.append(str(out / "packs" / network))
    _, held_out = splits(Path(data), None, seed)
    _say(comparison_rows(tuple(packs), held_out), as_json)
