"""YAML settings: strict, with the default beside each key, printable with secrets masked.

Both ends of the wire read their settings here; pydantic does the checking.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from edge.common.errors import Refusal

MASK = "**********"


class Section(BaseModel):
    """A part of a settings file: unknown keys are refused, values are checked, nothing changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


S = TypeVar("S", bound=Section)


def load(kind: type[S], path: Path) -> S:
    """Reads and checks a settings file; raises Refusal naming the file, the key and the remedy."""
    return checked(kind, read(path), path)


def read(path: Path) -> dict[str, Any]:
    """What a settings file says, unchecked; raises Refusal where it says nothing."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refusal(f"{path}: no such file: give the settings with --config FILE") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{path}: cannot be read ({error}): check its permissions") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        raise Refusal(f"{path}: not valid YAML{line}: mend the indentation or quotes") from None
    if not isinstance(content, dict):
        raise Refusal(f"{path}: holds no settings: start from the example in deploy/examples")
    return content


def checked(kind: type[S], content: dict[str, Any], path: Path) -> S:
    """Settings from what a file says; relative paths are taken from the folder it lies in."""
    try:
        return kind.model_validate(content, context={"folder": path.resolve().parent})
    except ValidationError as error:
        raise Refusal(f"{path}: {'; '.join(_explain(kind, error))}") from None


def _explain(kind: type[BaseModel], error: ValidationError) -> list[str]:
    lines = []
    for fault in error.errors(include_input=False, include_url=False):
        where = [str(part) for part in fault["loc"]]
        key = ".".join(where) or "settings"
        if fault["type"] == "extra_forbidden":
            names = list(_section_at(kind, where[:-1]).model_fields)
            near = difflib.get_close_matches(where[-1], names, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(names)}"
            lines.append(f"unknown key '{key}': {hint}")
        elif fault["type"] == "missing":
            lines.append(f"'{key}' is missing: add it")
        else:
            lines.append(f"'{key}': {fault['msg'].removeprefix('Value error, ')}")
    return lines


def _section_at(kind: type[BaseModel], where: list[str]) -> type[BaseModel]:
    """The section that a location in an error lies in, through optional sections too."""
    for name in where:
        field = kind.model_fields.get(name)
        if field is None:
            break
        options = [field.annotation, *get_args(field.annotation)]
        inner = [o for o in options if isinstance(o, type) and issubclass(o, BaseModel)]
        if not inner:
            break
        kind = inner[0]
    return kind


def show(settings: Section) -> str:
    """What is in force, as YAML; a secret shows as asterisks."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, SecretStr):
            return MASK if value.get_secret_value() else ""
        if isinstance(value, str):
            return re.sub(r"(?<=://)[^/@]*(?=@)", MASK, value)  # user and password in an address
        return str(value) if isinstance(value, Path) else value

    return yaml.safe_dump(plain(settings.model_dump()), sort_keys=False)
