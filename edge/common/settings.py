"""YAML settings: strict, with the default beside each key, printable with secrets masked.

Both ends of the wire read their settings here; pydantic does the checking.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from datetime import time
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails

from edge.common.address import mask
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


S = TypeVar("S", bound=Section)


class Loader(yaml.SafeLoader):
    """YAML as people mean it: 8:30 is text, not 510; `no` is text, not false; 007 is text, not 7.

    YAML 1.1 reads them so, and YAML 1.2 took it back; where a switch is wanted, pydantic
    reads `yes` and `off` all the same. A key that appears twice is an error.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge":
                name = self.construct_object(key, deep=True)
                if str(name) in names:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key '{name}' appears twice", key.start_mark
                    )
                names.add(str(name))
        return super().construct_mapping(node, deep)

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        """Joins what JSON writes as two halves, as in "\\ud83d\\ude00"; half alone is an error."""
        text = super().construct_scalar(node)
        try:
            return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            raise yaml.constructor.ConstructorError(
                None, None, "half a letter (\\ud800 to \\udfff)", node.start_mark
            ) from None


def _without(tags: tuple[str, ...]) -> dict[str, list[tuple[str, Any]]]:
    return {
        first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] not in tags]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


Loader.yaml_implicit_resolvers = _without(("bool", "int", "float"))
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"[-+]?(0|[1-9][0-9]*)$"), list("-+0123456789")
)
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+][0-9]+)?$"),
    list("-+.0123456789"),
)


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
        problem = getattr(error, "problem", None)
        about = f" ({problem})" if problem else ""
        remedy = "fix the indentation or quotes there"
        raise UserError(f"not valid YAML{line}{about}", path, remedy) from None
    except (RecursionError, ValueError):  # a thousand brackets, a number of thousands of digits
        raise UserError(
            "cannot be read (brackets too deep, or a number too long)",
            path,
            "start from the example in deploy/examples",
        ) from None
    if not isinstance(content, dict):
        raise UserError("contains no settings", path, "start from the example in deploy/examples")
    return content


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
            lines.append((key, f"unknown key '{key}'", hint))
        elif fault["type"] == "model_type":
            lines.append((key, f"'{key}' is not a section", "write its keys below it, indented"))
        elif fault["type"] == "missing":
            lines.append((key, f"'{key}' is missing", "add it"))
        elif isinstance(cause, SettingError):
            lines.append((key, f"'{key}': {cause.what}", cause.remedy))
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

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [plain(item) for item in value]
        if isinstance(value, SecretStr):
            return str(value)
        if isinstance(value, time):
            return f"{value:%H:%M}"
        if isinstance(value, str):
            return mask(value)
        return str(value) if isinstance(value, Path) else value

    return yaml.dump(plain(settings.model_dump()), Dumper=_Dumper, sort_keys=False)


class _Dumper(yaml.SafeDumper):
    """Quotes what YAML 1.1 would read as something else, and what `Loader` would."""


for _first, _resolvers in Loader.yaml_implicit_resolvers.items():
    for _tag, _pattern in _resolvers:
        if _tag.rpartition(":")[2] in ("bool", "int", "float"):
            _Dumper.add_implicit_resolver(_tag, _pattern, [_first])
