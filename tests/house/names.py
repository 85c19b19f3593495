"""What the code's names are: `python -m tests.house.names` prints what the house does not allow.

A class name stands for one thing. Values are nouns and functions verbs: neither is a bare
participle (`found`, `told`, `recorded`). What is it that was found? A name is one where its last
word, or its only one, is a participle. These are none:

- predicates, whose first word says so: `is_open`, `has_ended`, `was_killed`; and `on_stored`, which
  is called when something was;
- tests, whose names are sentences;
- contracts: fields of messages, of answers to programs and of the database, and settings;
- what a library calls by that name.

Words that docs/glossary.md replaced are not names either, nor parts of them.
"""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

PACKAGES = ("edge", "collector", "models", "deploy", "tests")
MOST_PER_THOUSAND = 1.0

IRREGULAR = frozenset(
    Path(__file__).with_name("participles.txt").read_text(encoding="ascii").split()
)
"""Past participles that do not end in -ed, of the verbs that programs are made of, but for those
that are nouns or the verb's first form too (`put`, `shut`, `shot`)."""

NOUNS = frozenset({"embed", "exceed", "feed", "indeed", "need", "seed", "shed", "speed"})

PREDICATES = frozenset({"are", "had", "has", "is", "on", "was", "were"})

CONTRACT = frozenset(
    {
        *("withheld", "waiting", "merged", "dropped", "throttled", "fitted"),  # messages
        *("granted", "refused", "update_refused", "reported"),  # the device API, and devices
        *("seen", "paused", "seconds_told", "corrected"),  # lessons and rooms, as JSON
        "received",  # a column of the database
        *("lost", "duplicated", "altered"),  # the fault bench
        "enrolled",  # a setting
    }
)
"""Of fields alone."""

LIBRARIES = frozenset(
    {
        *("connection_made", "connection_lost", "data_received", "wait_closed"),  # asyncio
        "when_pressed",  # gpiozero
        *("modified", "NOT_MODIFIED", "NOT_FOUND"),  # HTTP
    }
)

Kind = Literal["attribute", "class", "constant", "field", "function", "local", "method", "module"]


class Definition(NamedTuple):
    """A name, where a file first gives it to something."""

    kind: Kind
    name: str
    path: Path
    line: int


def definitions(path: Path) -> Iterator[Definition]:
    """Each name that a file defines, once for each function or class that does."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if path.stem != "__init__":
        yield Definition("module", path.stem, path, 1)
    yield from (Definition("constant", *one) for one in _once(path, _stores(tree)))
    attributes = (
        (node.attr, node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    )
    yield from (Definition("attribute", *one) for one in _once(path, attributes))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield Definition("class", node.name, path, node.lineno)
            yield from (Definition("field", *one) for one in _once(path, _stores(node)))
            methods = (one for one in node.body if isinstance(one, FUNCTIONS))
            yield from (Definition("method", one.name, path, one.lineno) for one in methods)
        elif isinstance(node, FUNCTIONS):
            yield from (Definition("local", *one) for one in _once(path, _locals(node)))
        if not isinstance(node, ast.ClassDef):
            functions = (one for one in ast.iter_child_nodes(node) if isinstance(one, FUNCTIONS))
            yield from (Definition("function", one.name, path, one.lineno) for one in functions)


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _once(path: Path, names: Iterator[tuple[str, int]]) -> Iterator[tuple[str, Path, int]]:
    lines: dict[str, int] = {}
    for name, line in names:
        lines.setdefault(name, line)
    yield from ((name, path, line) for name, line in lines.items())


def _locals(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, int]]:
    """Parameters too."""
    yield from _stores(function)
    arguments = function.args
    for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        yield one.arg, one.lineno
    for more in (arguments.vararg, arguments.kwarg):
        if more is not None:
            yield more.arg, more.lineno


def _stores(scope: ast.AST) -> Iterator[tuple[str, int]]:
    for node in _own(scope):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name, node.lineno


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """Every node but those of functions and classes within, which have names of their own."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, (*FUNCTIONS, ast.ClassDef)):
            yield child
            yield from _own(child)


def words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+", name)]


def is_participle(word: str) -> bool:
    return word in IRREGULAR or (len(word) > 4 and word.endswith("ed") and word not in NOUNS)


def is_bare_participle(name: str, kind: Kind = "local") -> bool:
    parts = words(name)
    if not parts or parts[0] in PREDICATES or name in LIBRARIES:
        return False
    if kind == "field" and name in CONTRACT:
        return False
    if kind == "class":  # `EnrolmentDenied` is what happened, as exceptions are called
        return len(parts) == 1 and is_participle(parts[0])
    return is_participle(parts[-1]) and not (kind in ("function", "method") and parts[0] == "test")


OLD_WORDS = frozenset(
    {
        *("book", "books", "clerk", "desk", "errand", "errands", "glance", "keeper", "keeping"),
        *("minder", "noticed", "office", "offers", "painter", "standing", "twins"),
    }
)
"""Of words that docs/glossary.md has others for, those that mean nothing else in code."""

OLD_VERBS = frozenset({"again", "give", "heard", "saw", "tell", "used"})
"""As functions: each says that something comes, and not what is done with it."""

FURNITURE = frozenset({("edge/camera/painting.py", "desk")})


def has_old_word(root: Path, one: Definition) -> bool:
    if (one.path.relative_to(root).as_posix(), one.name) in FURNITURE:
        return False
    if one.kind in ("function", "method") and one.name.startswith("test_"):
        return False
    if one.kind in ("function", "method") and one.name.strip("_") in OLD_VERBS:
        return True
    return not OLD_WORDS.isdisjoint(words(one.name))


def files(root: Path) -> list[Path]:
    return [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]


def all_definitions(root: Path) -> list[Definition]:
    return [one for path in files(root) for one in definitions(path)]


def participles(names: list[Definition]) -> dict[Kind, list[Definition]]:
    """By kind, those that are one; none where there is no name of a kind."""
    bare: defaultdict[Kind, list[Definition]] = defaultdict(list)
    for one in names:
        if is_bare_participle(one.name, one.kind):
            bare[one.kind].append(one)
    return dict(bare)


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
    names = all_definitions(root)
    counts, bare = Counter(one.kind for one in names), participles(names)
    for kind in sorted(counts):
        for one in bare.get(kind, ()):
            print(f"{one.path.relative_to(root)}:{one.line}: {kind} {one.name}")
    for one in names:
        if has_old_word(root, one):
            print(f"{one.path.relative_to(root)}:{one.line}: {one.kind} {one.name}: an old word")
    for name, where in classes_twice(root).items():
        print(f"class {name}: {', '.join(where)}")
    for kind, count in sorted(counts.items()):
        per_thousand = 1000 * len(bare.get(kind, ())) / count
        print(f"{kind}: {per_thousand:.1f} of 1,000 names are bare participles ({count})")


if __name__ == "__main__":
    main()
