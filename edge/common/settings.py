"""YAML settings: strict, with the default beside each key, printable with secrets masked.

Both ends of the wire read their settings here; pydantic does the checking.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import time
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails

from edge.common.errors import SettingError, UserError, unusable


class Section(BaseModel):
    """A part of a settings file: unknown keys are refused, values are checked, nothing changes."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        coerce_numbers_to_str=True,  # a room or password of digits alone needs no quotes
    )

    former: ClassVar[Mapping[str, str]] = {}
    """A key's former spelling, which is still understood, and today's."""

    @model_validator(mode="before")
    @classmethod
    def _by_todays_names(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        for old, new in cls.former.items():
            if old in content and new in content:
                raise SettingError(f"both '{old}' and '{new}', which is one key", f"remove '{old}'")
        return {cls.former.get(key, key): value for key, value in content.items()}


class Mask(NamedTuple):
    """In the type of a text that may hold a secret: makes of it what is shown."""

    hide: Callable[[str], str]


S = TypeVar("S", bound=Section)


KINDS = ("null", "merge")
"""What is more than text where it has no quotes."""


SECRETS = {"client_secret", "password", "secret"}
"""Keys that may be left out; a value that YAML takes for a comment would leave them out, too."""


class _OwnError(yaml.constructor.ConstructorError):
    """In words that repeat nothing but a key."""


class Loader(yaml.SafeLoader):
    """YAML in which what is written is text: 8:30, `no`, 007, 1.10 and 2026-03-09 are just that.

    A room may be called 1.10, and a password be 12.50; where a number, a day or a switch is wanted,
    pydantic reads it from the text. A key that appears twice is an error.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = set()
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:merge":
                name = self.construct_object(key, deep=True)
                if str(name) in names:
                    raise _OwnError(
                        None,
                        None,
                        f"the key '{printable_key(str(name))}' appears twice",
                        key.start_mark,
                    )
                names.add(str(name))
                if str(name) in SECRETS and value.value == "" and value.tag.endswith(":null"):
                    raise _OwnError(None, None, f"'{name}' has no value", value.start_mark)
        return super().construct_mapping(node, deep)

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        """A word that begins with & is a name for what follows, and would be lost in silence."""
        node = super().compose_scalar_node(anchor)
        if anchor is not None:
            raise _OwnError(None, None, "an anchor", node.start_mark)
        return node

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        """Joins what JSON writes as two halves, as in "\\ud83d\\ude00"; half alone is an error."""
        text = super().construct_scalar(node)
        try:
            return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            raise _OwnError(
                None, None, "half a letter (\\ud800 to \\udfff)", node.start_mark
            ) from None


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in KINDS]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(kind: type[S], path: Path, named_by: str = "--config") -> S:
    """Reads and checks a settings file, which that option names; raises UserError with file, key
    and remedy."""
    return validate(kind, read(path, named_by), path)


def read_text(path: Path, named_by: str = "--config") -> str:
    """Of a file that an option names; raises UserError where it is not there or no text."""
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise UserError("no such file", path, f"name one that is there: {named_by} FILE") from None
    except IsADirectoryError:
        raise UserError("is a folder", path, f"name the file: {named_by} FILE") from None
    except (OSError, UnicodeDecodeError) as error:
        raise unusable(error, path, "write it anew, in UTF-8") from None


def read(path: Path, named_by: str = "--config") -> dict[str, Any]:
    """What a settings file says, unchecked; raises UserError where it says nothing."""
    text = read_text(path, named_by)
    try:
        content = yaml.load(text, Loader)  # noqa: S506  # a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        about, remedy = _yaml_problem(error)
        raise UserError(f"not valid YAML{line}{about}", path, remedy) from None
    except RecursionError:  # a thousand brackets
        remedy = "start from the example in deploy/examples"
        raise UserError("cannot be read (brackets too deep)", path, remedy) from None
    if not isinstance(content, dict):
        raise UserError("contains no settings", path, "start from the example in deploy/examples")
    return content


def _yaml_problem(error: yaml.YAMLError) -> tuple[str, str]:
    """What is wrong, and the remedy, without a word of the file: it may be a password."""
    remedy = "fix the indentation or quotes there"
    problem = getattr(error, "problem", None) or ""
    for what, sign in (("tag", "!"), ("alias", "*"), ("anchor", "&")):
        if re.search(rf"\b{what}\b", problem):
            return f" (a value begins with {sign})", "put the value in quotes there"
    if problem.endswith("has no value"):
        remedy = "put the value in quotes (a # begins a comment), or leave the key out"
    if not isinstance(error, _OwnError):
        problem = re.sub(r"'[^']{2,}'?", "…", problem)
    return f" ({problem})" if problem else "", remedy


def printable_key(key: str) -> str:
    """A key as a message repeats it: `password:x`, without a blank, is one too."""
    match = re.match(r"[\w./-]{0,64}", key)
    whole = match[0] if match else ""
    return whole if whole == key else f"{whole}…"


def validate(kind: type[S], content: dict[str, Any], path: Path) -> S:
    """Settings from what a file says; relative paths are taken from the folder it lies in."""
    try:
        return kind.model_validate(content, context={"folder": path.resolve().parent})
    except ValidationError as error:
        faults = _explain(kind, error)
        what = "; ".join(what for _, what, _ in faults)
        if len(faults) == 1:
            raise UserError(what, path, faults[0][2]) from None
        remedies = (f"'{key}': {remedy}" for key, _, remedy in faults)
        raise UserError(what, path, "; ".join(remedies)) from None


def _explain(kind: type[BaseModel], error: ValidationError) -> list[tuple[str, str, str]]:
    """Each key, what is wrong with it, and the remedy."""
    lines = []
    faults = error.errors(include_input=False, include_url=False)
    for fault in faults:
        if fault["type"] == "too_short" and _has_deeper(fault["loc"], faults):
            continue  # it is short because of what is wrong in it
        cause = fault.get("ctx", {}).get("error")
        where = [str(part) for part in fault["loc"] if part != "[key]"]  # pydantic's, for a name
        key = ".".join(where) or "settings"
        if fault["type"] == "extra_forbidden":
            names = list(_section_at(kind, where[:-1]).model_fields)
            near = difflib.get_close_matches(where[-1], names, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"use one of {', '.join(names)}"
            if ":" in key:
                hint = "write a blank after the colon"
            key = printable_key(key)
            lines.append((key, f"unknown key '{key}'", hint))
        elif fault["type"] == "model_type":
            lines.append((key, f"'{key}' is not a section", "write its keys below it, indented"))
        elif fault["type"] == "missing":
            lines.append((key, f"'{key}' is missing", "add it"))
        elif isinstance(cause, SettingError):
            lines.append((key, f"'{key}': {cause.what}", cause.remedy))
        elif cause is not None:  # an error that was not made for people, and may repeat a secret
            lines.append((key, f"'{key}' is not valid", "compare it with deploy/examples"))
        elif remedy := REMEDIES.get(fault["type"]):
            lines.append((key, f"'{key}' is not valid", remedy))
        elif fault["type"] == "string_pattern_mismatch" and "[a-z0-9-]" in str(fault.get("ctx")):
            lines.append((key, f"'{key}' is not valid", NAME))
        else:
            message = fault["msg"].removeprefix("Value error, ")
            lines.append((key, f"'{key}' is not valid", message[:1].lower() + message[1:]))
    return lines


NAME = "write a name of small letters a to z, digits and hyphens, 32 at most"

REMEDIES = {
    "tuple_type": "write a list, as in [one, two]",
    "dict_type": "write keys below it, indented",
    "string_type": "write a text, in quotes",
}
"""By pydantic's kinds of faults, where its own words are a programmer's."""


def _has_deeper(where: tuple[int | str, ...], faults: Iterable[ErrorDetails]) -> bool:
    return any(len(one["loc"]) > len(where) and one["loc"][: len(where)] == where for one in faults)


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
    """What is in force, as YAML that `load` reads again; a secret shows as asterisks."""
    return yaml.safe_dump(_plain(settings), sort_keys=False)


def _plain(value: Any, masks: Iterable[Any] = ()) -> Any:
    """What YAML has a form for; `masks` is what the setting's type says of how it is shown."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {name: _plain(getattr(value, name), fields[name].metadata) for name in fields}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, str):
        return next((one.hide(value) for one in masks if isinstance(one, Mask)), value)
    return str(value) if isinstance(value, Path | SecretStr) else value
