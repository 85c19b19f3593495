"""A pack's CARD.md: what it does in plain words first, then every figure with its source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge.vision.operating_point import PointName
from edge.vision.pack import Pack
from models.measure.operating_point import AtPoint
from models.measure.pictures import draw_all

TRUTHS = {
    "ferplus": "the expression that most of ten people named (FER+)",
    "fer2013": "the label that FER2013 gives",
    "own": "the label of the data it was trained on",
}


def of_ten(share: float) -> str:
    return f"{round(10 * share)} of 10"


def plain(pack: Pack, report: dict[str, Any], elsewhere: dict[str, Any] | None) -> str:
    """What a teacher or a head teacher should know, without a formula."""
    recall = {label: per["recall"] for label, per in report["per_label"].items() if per["n"]}
    order = sorted(recall, key=lambda label: -recall[label])
    best, worst = order[:2], order[-2:]
    pixels = dict(report["envelope"]["pixels"])
    text = (
        f"It looks at a small grey crop of a face and says which of {len(pack.labels)} expressions "
        f"it shows: {', '.join(pack.labels)}. It does not know what a person feels, and it is "
        f"wrong on about {of_ten(1 - report['accuracy'])} faces of its test: the truth there is "
        f"{TRUTHS[report['truth']]}. "
        f"It is best at {best[0]} and {best[1]} (right on {of_ten(recall[best[0]])} and "
        f"{of_ten(recall[best[1]])} such faces) and worst at {worst[1]} and {worst[0]} "
        f"({of_ten(recall[worst[1]])} and {of_ten(recall[worst[0]])}). When it is not sure it says "
        f"so: it answers {of_ten(report['answered'])} faces, and is right on "
        f"{of_ten(report['right_when_answered'])} of those. A face of 16 pixels is read right "
        f"{of_ten(pixels[16])} times, one of 48 pixels {of_ten(pixels[48])} times."
    )
    if elsewhere:
        text += (
            f" On {elsewhere['n']} studio photographs of adults it has never seen, found by Haar, "
            f"it is right on {100 * elsewhere['accuracy']:.0f} of 100."
        )
    return text


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _figures(pack: Pack, report: dict[str, Any]) -> list[str]:
    def row(name: str, key: str) -> str:
        interval = report["intervals"].get(key)
        spread = f"{_percent(interval[0])} to {_percent(interval[1])}" if interval else ""
        return f"| {name} | {_percent(report[key])} | {spread} |"

    difference = 100 * (pack.figures["accuracy"] - pack.figures["float_accuracy"])
    lines = [
        "| figure | value | 95 % interval |",
        "| --- | --- | --- |",
        row("accuracy", "accuracy"),
        row("balanced accuracy (mean recall)", "balanced_accuracy"),
        row("macro precision", "macro_precision"),
        row("macro F1", "macro_f1"),
        row("expected calibration error", "ece"),
        row("faces answered", "answered"),
        row("right when it answers", "right_when_answered"),
        row("faces taken for none", "taken_for_no_face"),
        f"| int8 against floating point, where it was chosen | {difference:+.1f} points | |",
        f"| size, weights | {report['size_bytes']} bytes, {pack.parameters} | |",
        f"| CPU time per face on the machine that wrote this | {report['us_per_face']:.0f} µs "
        f"(int8, {report['runtime']}) | |",
    ]
    if other := report.get("other_form"):
        lines += [
            f"| with half-precision weights: accuracy | {_percent(other['accuracy'])} | |",
            f"| the same, CPU time per face | {other['us_per_face']:.0f} µs | |",
            f"| both forms say the same of | {_percent(other['agrees'])} of the faces | |",
        ]
    if report["ferplus_accuracy"] is not None:
        lines.insert(3, f"| FER+ majority | {_percent(report['ferplus_accuracy'])} | |")
        lines.insert(4, f"| FER2013's labels | {_percent(report['fer2013_accuracy'])} | |")
    return lines


def _labels(report: dict[str, Any]) -> list[str]:
    lines = [
        "| label | faces | right (recall) | right when said (precision) |",
        "| - | - | - | - |",
    ]
    for label, per in report["per_label"].items():
        lines.append(
            f"| {label} | {per['n']} | {_percent(per['recall'])} | {_percent(per['precision'])} |"
        )
    return lines


def _groups(elsewhere: dict[str, Any]) -> list[str]:
    low, high = elsewhere["intervals"]["accuracy"]
    return [
        f"On {elsewhere['n']} photographs ({elsewhere.get('missed_by_detector', 0)} more were "
        f"missed by Haar), all labels open: {_percent(elsewhere['accuracy'])} right "
        f"({_percent(low)} to {_percent(high)}). Groups are of the people in the photographs; p is "
        "that of a permutation test: below 0.05 the groups differ by more than chance would have "
        "it. Groups this small can hide a difference.",
        "",
        *_group_table(elsewhere["groups"]),
    ]


def _group_table(groups: dict[str, Any]) -> list[str]:
    lines = [
        "| group | photographs | right | 95 % interval |",
        "| --- | --- | --- | --- |",
    ]
    for name, column in groups.items():
        lines.append(f"| **{name}**, p = {column['p']} | | | |")
        for value, per in column["groups"].items():
            low, high = per["interval"]
            lines.append(
                f"| {value} | {per['n']} | {_percent(per['accuracy'])} "
                f"| {_percent(low)} to {_percent(high)} |"
            )
    return lines


SETS = {
    "london": "photographs of adults who show an expression",
    "press": "faces in photographs of the press",
    "ferplus": "FER+'s majority",
}


def _rooms(in_rooms: dict[PointName, AtPoint]) -> list[str]:
    """What the point for rooms gains and costs, on people it was not fitted on."""
    lines = [
        "Devices read the answers at a point of its own, fitted on London's photographs, the "
        "press and FER+ together. Here it was fitted on four fifths of the people and tried on "
        "the fifth that was kept apart, five times over. Beside each calibration error stands the "
        "one that so few faces would give if every confidence were exactly right.",
        "",
        "| faces | right, as the votes taught it | right, in a room | calibration error "
        "| by chance |",
        "| --- | --- | --- | --- | --- |",
    ]
    votes, room = in_rooms["votes"].figures, in_rooms["room"].figures
    for name, words in SETS.items():
        lines.append(
            f"| {words} | {_percent(votes[f'{name}_accuracy'])} "
            f"| {_percent(room[f'{name}_accuracy'])} | {_percent(room[f'{name}_ece'])} "
            f"| {_percent(room[f'{name}_ece_by_chance'])} |"
        )
    return [
        *lines,
        "",
        f"Women are read right oftener than men by {room['women_minus_men']} points "
        f"({votes['women_minus_men']} as the votes taught it).",
        "",
        *_group_table(in_rooms["room"].groups),
    ]


def write(
    folder: Path,
    pack: Pack,
    report: dict[str, Any],
    elsewhere: dict[str, Any] | None,
    in_rooms: dict[PointName, AtPoint] | None,
) -> None:
    """CARD.md and its pictures in the pack's folder."""
    draw_all(report, folder)
    folds = report["folds"]
    parts = [
        f"# {pack.name}",
        "",
        plain(pack, report, elsewhere),
        "",
        "Meant for counting expressions in a room, many faces at a time. Not for judging a person, "
        "for grading, for discipline or for safety. Written by `roommood model card`.",
        "",
        "## Figures",
        "",
        f"Of the file that ships, on {report['n']} faces that were held out from training; the "
        "epoch, the temperature and the thresholds were chosen on the same faces.",
        "",
        *_figures(pack, report),
        "",
        f"Temperature and threshold chosen on nine tenths of those faces and tried on the tenth, "
        f"{folds['folds']} times over: calibration error {_percent(folds['ece']['mean'])} ± "
        f"{_percent(folds['ece']['sd'])}, right when it answers {_percent(folds['right']['mean'])} "
        f"± {_percent(folds['right']['sd'])}.",
        "",
        *_labels(report),
        "",
        "![Confusion](confusion.png)",
        "![Reliability](reliability.png)",
        "",
        "## Operating envelope",
        "",
        "The same faces, made smaller or darker before they are read.",
        "",
        "![Accuracy against size and light](envelope.png)",
        "",
        "| pixels | " + " | ".join(str(size) for size, _ in report["envelope"]["pixels"]) + " |",
        "| --- |" + " --- |" * len(report["envelope"]["pixels"]),
        "| right | " + " | ".join(_percent(y) for _, y in report["envelope"]["pixels"]) + " |",
        "",
        "| light | " + " | ".join(str(light) for light, _ in report["envelope"]["light"]) + " |",
        "| --- |" + " --- |" * len(report["envelope"]["light"]),
        "| right | " + " | ".join(_percent(y) for _, y in report["envelope"]["light"]) + " |",
    ]
    if elsewhere:
        parts += ["", "## Other people, other cameras", "", *_groups(elsewhere)]
    if in_rooms:
        parts += ["", "## In a room", "", *_rooms(in_rooms)]
    parts += [
        "",
        "## Where it comes from",
        "",
        f"- Truth: {TRUTHS[pack.truth]}.",
        f"- Data: {pack.data}.",
        f"- Network: mini-Xception `{pack.network}`, {pack.parameters} weights, int8 in and out.",
        f"- File: `{pack.file}`, SHA-256 `{pack.sha256}`.",
        f"- Temperature {pack.temperature}, threshold {pack.threshold}, face threshold "
        f"{pack.face_threshold}.",
        f"- Licence: {pack.licence}.",
        "",
        "```sh",
        pack.command.replace(" && ", " &&\n    "),
        "```",
        "",
    ]
    (folder / "CARD.md").write_text("\n".join(parts), encoding="utf-8")
