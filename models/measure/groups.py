"""Groups of people, for `--by`: each metric per group, and whether groups differ.

A table with a column `file` (or `row`, counted from 0, for data without file names) and any number
of columns that group: age, gender, whatever a school must answer for. `person`, where present, says
whose picture it is. The `index.json` of a folder of photographs will do as well.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.common.errors import UserError
from models.data.faces import Faces
from models.measure.evaluate import Scores, macro
from models.measure.intervals import bootstrap, differ

KEYS = ("file", "row", "person")
NO_GROUPS = {"faces", "n_faces", "pupils", "width", "height", "emotion"}
"""What an index of photographs tells besides groups."""
NO_ANSWER = "not known"
MANY = 8
"""A column of more different numbers than this is split into three bands of equal size."""


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a `.csv`, or of an index of photographs; raises UserError naming the file."""
    try:
        if path.suffix.lower() == ".json":
            images = json.loads(path.read_text(encoding="utf-8"))["images"]
            rows = [
                {k: "" if v is None else str(v) for k, v in image.items() if k not in NO_GROUPS}
                for image in images
            ]
        else:
            with path.open(newline="", encoding="utf-8-sig") as file:
                rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise UserError(
            f"cannot be read ({error})", path, "use a .csv with a column 'file'"
        ) from None
    if not rows or not {"file", "row"} & rows[0].keys():
        raise UserError(
            "has neither a column 'file' nor 'row'", path, "add 'file', or 'row' counted from 0"
        )
    return rows


class Groups:
    """A table of groups, laid beside faces."""

    def __init__(self, path: Path, faces: Faces) -> None:
        rows = read(path)
        by = "file" if faces.names else "row"
        table = {row.get(by): row for row in rows}
        keys = faces.names if faces.names else [str(n) for n in range(len(faces.label))]
        missing = [key for key in keys if key not in table]
        if missing:
            raise UserError(
                f"column '{by}' has no {missing[0]} ({len(missing)} faces are missing)",
                path,
                "add them",
            )
        mine = [table[key] for key in keys]
        self.columns: dict[str, NDArray[np.str_]] = {
            name: _bands([row[name] or "" for row in mine])
            for name in rows[0]
            if name not in {*KEYS, *NO_GROUPS}
        }
        people = [row.get("person") or key for row, key in zip(mine, keys, strict=True)]
        self.units: NDArray[np.intp] = np.unique(people, return_inverse=True)[1]
        if not self.columns:
            raise UserError("no column that groups", path, "add one, such as 'age'")


def _bands(values: list[str]) -> NDArray[np.str_]:
    """Names as they are; many different numbers as three bands with equally many faces."""
    try:
        numbers = np.array([float(value) for value in values if value])
    except ValueError:
        numbers = np.array([])
    if len(np.unique(numbers)) <= MANY:
        return np.array([value or NO_ANSWER for value in values])
    low, high = np.quantile(numbers, [1 / 3, 2 / 3])
    names = [f"up to {low:g}", f"over {low:g} to {high:g}", f"over {high:g}"]
    return np.array(
        [names[int(float(v) > low) + int(float(v) > high)] if v else NO_ANSWER for v in values]
    )


def by_group(scores: Scores, groups: Groups, rows: NDArray[np.bool_]) -> dict[str, Any]:
    """For each grouping: the metrics of each group with intervals, and a p-value.

    `scores` are of the faces at `rows` of those that the groups were laid beside.
    """
    groupings: dict[str, Any] = {}
    right, units = scores.right, groups.units[rows]
    for name, column in groups.columns.items():
        group = column[rows]
        per: dict[str, Any] = {}
        for value in np.unique(group):
            part = np.flatnonzero(group == value)
            hits = right[part]
            low, high = bootstrap(lambda at, hits=hits: float(hits[at].mean()), units[part])  # type: ignore[misc]  # the default binds this group's faces
            per[str(value)] = {
                "n": len(part),
                "accuracy": round(float(hits.mean()), 4),
                "interval": [low, high],
                **macro(scores.only(part).confusion()),
            }
        groupings[name] = {"groups": per, "p": differ(right, group, units)}
    return groupings
