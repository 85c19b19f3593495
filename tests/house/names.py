"""What the code's names are: `python -m tests.house.names` prints what the house does not allow.

A class name stands for one thing. A name of a value is a noun, seldom a bare participle (`found`,
`told`, `kept`): what is it that was found?
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGES = ("edge", "collector", "models", "deploy", "tests")
MOST_PER_THOUSAND = 3.0

PARTICIPLES = frozenset(
    Path(__file__).with_name("participles.txt").read_text(encoding="ascii").split()
)
"""Past participles of the verbs that programs are made of, but for those that are nouns too."""


class Local(NamedTuple):
    """A name that a function binds."""

    path: Path
    line: int
    name: str


def locals_of(path: Path) -> Iterator[Local]:
    """Each name that each function of a file binds, once: variables, not parameters."""
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first_lines: dict[str, int] = {}
        for node in _own(function):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                first_lines.setdefault(node.id, node.lineno)
            elif isinstance(node, ast.ExceptHandler) and node.name:
                first_lines.setdefault(node.name, node.lineno)
        for argument in _arguments(function):
            first_lines.setdefault(argument.arg, argument.lineno)
        yield from (Local(path, line, name) for name, line in first_lines.items())


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """Every node of a function but those of functions within it, which have names of their own."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield child
            yield from _own(child)


def _arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    arguments = function.args
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def is_bare_participle(name: str) -> bool:
    return name.strip("_") in PARTICIPLES


def files(root: Path) -> list[Path]:
    return [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]


def participles(root: Path) -> tuple[list[Local], int]:
    """Those that are one, and how many names there are."""
    names = [local for path in files(root) for local in locals_of(path)]
    return [local for local in names if is_bare_participle(local.name)], len(names)


def classes_twice(root: Path) -> dict[str, list[str]]:
    """Class names that more than one file of the product defines, private ones too."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path in files(root):
        if path.relative_to(root).parts[0] == "tests":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path.relative_to(root)}:{node.lineno}")
    return {name: where for name, where in sorted(places.items()) if len(where) > 1}


def main() -> None:
    root = Path(__file__).resolve().parents[2]
    wrong, count = participles(root)
    for local in wrong:
        print(f"{local.path.relative_to(root)}:{local.line}: {local.name}")
    print(f"{1000 * len(wrong) / count:.1f} of 1,000 local names are bare participles ({count})")
    for name, where in classes_twice(root).items():
        print(f"class {name}: {', '.join(where)}")


if __name__ == "__main__":
    main()
