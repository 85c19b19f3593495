"""The table of the shipped packs in models/README.md.

    python -m models.measure.table --data ../shared/data/fer2013/public_test.npz \
        --photos ../shared/data/faces_london
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from edge.common.errors import UserError
from edge.vision.pack import PACK_FILE, PACKS
from models.data.sources import load
from models.measure.candidate import Candidate
from models.measure.scoring import figures

HEAD = (
    "pack",
    "weights",
    "bytes",
    "FER+ majority",
    "FER2013's labels",
    "balanced",
    "ECE",
    "float − int8",
    "photographs",
    "µs per face",
)


def row(name: str, data: Path, photos: Path) -> list[str]:
    """The cells of one pack."""
    candidate, fast = Candidate(name, "int8"), Candidate(name)
    pack = candidate.pack
    assert pack is not None  # it is named by its pack.yaml
    faces = load(data)
    report = figures(candidate, faces)
    elsewhere = figures(candidate, load(photos))
    loss = 100 * (pack.figures["float_accuracy"] - pack.figures["accuracy"])
    return [
        f"`{name}`",
        f"{pack.parameters:,}",
        f"{candidate.size_bytes:,}",
        f"{100 * report['ferplus_accuracy']:.1f} %",
        f"{100 * report['fer2013_accuracy']:.1f} %",
        f"{100 * report['balanced_accuracy']:.1f} %",
        f"{report['ece']:.3f}",
        f"{loss:+.1f}",
        f"{100 * elsewhere['accuracy']:.1f} %",
        f"{fast.answers(faces)[1]:.0f} ({fast.form})",
    ]


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True, help="public_test.npz")
@click.option("--photos", type=click.Path(path_type=Path), required=True, help="faces_london")
def main(data: Path, photos: Path) -> None:
    """Prints the table in Markdown."""
    names = sorted(path.parent.name for path in PACKS.glob(f"*/{PACK_FILE}"))
    click.echo("| " + " | ".join(HEAD) + " |")
    click.echo("| --- " * len(HEAD) + "|")
    for name in names:
        click.echo("| " + " | ".join(row(name, data, photos)) + " |")
    click.echo(f"\nThrough {Candidate(names[0]).classifier.runtime}.")


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except UserError as error:
        sys.exit(f"roommood: {error}")
