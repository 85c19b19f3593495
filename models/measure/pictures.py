"""Pictures of what was measured, by matplotlib: curves, confusion, reliability, envelope."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge.common.errors import UserError

WIDE, HIGH, DPI = 6.4, 4.4, 120


def figure(width: float = WIDE, height: float = HIGH) -> Any:
    """An empty figure that needs no screen; raises UserError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UserError(
            "matplotlib is missing", "pictures", "pip install 'roommood[report]'"
        ) from None
    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def curve(points: list[dict[str, float]], path: Path) -> None:
    """Loss, and accuracy on the faces held out, after each epoch."""
    chart = figure()
    left = chart.subplots()
    epochs = range(1, len(points) + 1)
    left.plot(epochs, [point["loss"] for point in points], color="0.6", label="loss (training)")
    left.set_xlabel("epoch")
    left.set_ylabel("loss")
    right = left.twinx()
    for name in points[0].keys() - {"loss", "seconds"}:
        right.plot(epochs, [100 * point[name] for point in points], marker=".", label=name)
    right.set_ylabel("right, % of the faces held out")
    right.grid(alpha=0.3)
    right.legend(loc="center right")
    left.legend(loc="upper right")
    chart.savefig(path)


def confusion(report: dict[str, Any], path: Path) -> None:
    """Each row, one label of the truth, in per cent of its faces."""
    chart = figure(6.4, 5.6)
    axes = chart.subplots()
    table, labels = report["confusion"], report["labels"]
    rows = [[100 * count / max(sum(row), 1) for count in row] for row in table]
    axes.imshow(rows, cmap="Blues", vmin=0, vmax=100)
    for y, row in enumerate(rows):
        for x, share in enumerate(row):
            tone = "white" if share > 55 else "black"
            axes.text(x, y, f"{share:.0f}", ha="center", va="center", color=tone)
    axes.set_xticks(range(len(labels)), labels, rotation=35, ha="right")
    names = [f"{label} ({sum(row)})" for label, row in zip(labels, table, strict=True)]
    axes.set_yticks(range(len(labels)), names)
    axes.set_xlabel("what the model says")
    axes.set_ylabel("the truth (faces)")
    axes.set_title("of 100 faces of each row")
    chart.savefig(path)


def reliability(report: dict[str, Any], path: Path) -> None:
    """How often it is right when it is so sure; the size of a dot is the number of faces."""
    chart = figure(5, 5)
    axes = chart.subplots()
    bins = report["reliability"]
    most = max(part["n"] for part in bins)
    axes.plot([0, 1], [0, 1], color="0.7", label="perfect")
    axes.scatter(
        [part["confidence"] for part in bins],
        [part["accuracy"] for part in bins],
        s=[20 + 230 * part["n"] / most for part in bins],
        alpha=0.8,
    )
    axes.set_xlabel("how sure it says it is")
    axes.set_ylabel("how often it is right")
    axes.set_title(f"expected calibration error {report['ece']}")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.grid(alpha=0.3)
    chart.savefig(path)


def envelope(report: dict[str, Any], path: Path) -> None:
    """Accuracy against the size of the face and against the light."""
    chart = figure(8, 3.6)
    sizes, lights = chart.subplots(1, 2, sharey=True)
    for axes, key, title in (
        (sizes, "pixels", "pixels across the face"),
        (lights, "light", "brightness, 1 = as exposed"),
    ):
        pairs = report["envelope"][key]
        axes.plot([x for x, _ in pairs], [100 * y for _, y in pairs], marker="o")
        axes.set_xlabel(title)
        axes.grid(alpha=0.3)
    lights.set_xscale("log")
    lights.set_xticks([0.1, 0.2, 0.5, 1, 2], ["0.1", "0.2", "0.5", "1", "2"])
    lights.minorticks_off()
    sizes.set_ylabel("right, %")
    sizes.set_ylim(0, 100)
    chart.savefig(path)


def draw_all(report: dict[str, Any], folder: Path) -> None:
    """confusion.png, reliability.png and envelope.png in `folder`."""
    confusion(report, folder / "confusion.png")
    reliability(report, folder / "reliability.png")
    envelope(report, folder / "envelope.png")
