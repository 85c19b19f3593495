"""Figures as a table for people, and as docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

DETECTOR = "detector_cpu_ms_per_frame"

ROWS: Sequence[tuple[str, str, str]] = (
    ("frames", "frames", "{:.0f}"),
    ("recall", "recall, by frame", "{:.3f}"),
    ("precision", "precision, by frame", "{:.3f}"),
    ("window_recall", "recall, by window", "{:.3f}"),
    ("window_precision", "precision, by window", "{:.3f}"),
    ("false_per_frame", "false faces per frame", "{:.3f}"),
    ("cpu_ms_per_frame", "processor, ms per frame", "{:.1f}"),
    (DETECTOR, "of that, the detector's", "{:.1f}"),
    ("ms_per_frame", "time, ms per frame", "{:.1f}"),
    ("cpu_s_per_room_hour", "processor, s per room-hour", "{:.0f}"),
    ("count_error", "error of what is published", "{:.3f}"),
    ("count_error_counted", "error of what is counted", "{:.3f}"),
    ("rss_mb", "memory, MB", "{:.0f}"),
)


def by_film(figures: dict[str, Any]) -> list[str]:
    """Each film in a line, for both: recall and precision, and recall minute by minute."""
    lines = []
    for which in ("roommood", "reference"):
        for film in figures[which]["films"]:
            minutes = " ".join(_number(one["recall"]) for one in film["minutes"])
            cpu = f"{film['cpu_ms_per_frame']:.1f} ms, detector {film[DETECTOR]:.1f}"
            parts = (_number(film[key]) for key in ("recall", "precision", "window_recall"))
            error = _number(film["count_error_counted"])
            lines.append(
                "| " + " | ".join((film["film"], which, *parts, error, cpu, minutes)) + " |"
            )
    if not lines:
        return []
    return [
        "| film | | recall | precision | windows' recall | counted, error | processor, a frame "
        "| recall, minute by minute |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *lines,
    ]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def table(figures: dict[str, Any]) -> str:
    """One comparison, for a terminal."""
    lines = [f"{'':28}{'roommood':>12}{'reference':>12}"]
    for ours, reference, title in _rows(figures):
        lines.append(f"{title:28}{ours:>12}{reference:>12}")
    for key, title in (("ratio", "processor"), ("detector_ratio", "detector")):
        if figures[key] is not None:
            lines.append(f"{title}: {figures[key]:.1f} times less than the reference")
    lines += by_film(figures)
    return "\n".join(lines)


def _rows(figures: dict[str, Any]) -> Iterable[tuple[str, str, str]]:
    for key, title, form in ROWS:
        values = [figures[which][key] for which in ("roommood", "reference")]
        if any(value is not None for value in values):
            ours, reference = ("–" if v is None else form.format(v) for v in values)
            yield ours, reference, title


def page(
    command: str,
    machine: dict[str, Any],
    sets: Sequence[tuple[str, dict[str, Any]]],
    growth: Sequence[dict[str, Any]],
    agent: dict[str, Any],
) -> str:
    """docs/performance.md, whole."""
    about = ", ".join(f"{key} {value}" for key, value in machine.items())
    parts = [
        "# Performance",
        "",
        f"Written by `{command}` on: {about}. Timings differ from machine to machine and from run",
        "to run; ratios, within one run, less so. The reference is the common way: Haar at",
        "1.1, 5, 30 on the whole frame, every face of every frame read, one at a time, with the",
        "same model. One thread each. Films are shown at the rate and in windows of the agent's",
        "defaults, over and over where they are short.",
    ]
    for name, figures in sets:
        ratio, alone = (f"{figures[key]:.1f}" for key in ("ratio", "detector_ratio"))
        parts += ["", f"## {name}", "", "| | roommood | reference |", "| --- | --- | --- |"]
        parts += [f"| {title} | {a} | {b} |" for a, b, title in _rows(figures)]
        parts += ["", f"Processor: {ratio} times less; the detector alone: {alone} times less."]
        parts += ["", *by_film(figures)] if figures["roommood"]["films"] else []
    parts += [
        "",
        "## How the cost grows",
        "",
        "Simulated classrooms, as the agent counts them.",
        "",
    ]
    parts += ["| seats | lines | faces in view | processor, ms per frame | memory, MB |"]
    parts += ["| --- | --- | --- | --- | --- |"]
    parts += [
        f"| {one['seats']} | {one['height']} | {one['faces']:.1f} | {one['cpu_ms_per_frame']:.1f}"
        f" | {one['rss_mb']:.0f} |"
        for one in growth
    ]
    parts += ["", "## The agent as a process", ""]
    parts += [
        f"At {agent['height']} lines: the first frame is analysed {agent['start_s']:.2f} s after "
        f"the start; {agent['rss_mb']:.0f} MB of memory at most.",
        "",
    ]
    return "\n".join(parts)
