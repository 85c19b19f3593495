"""Tests go by what is public: what is private may change while all that is promised holds."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

OWNERS = frozenset(("agent", "ingest", "link", "outbox", "publisher")) | frozenset(
    ("room", "rooms", "service", "store", "writer")
)
"""What the parts of an agent and of a collector are called: nobody reaches into them."""

STILL = {
    "tests/attacks/figures.py": "compares what is published with what the agent knows exactly",
    "tests/edge/transport/test_publisher.py": "ends a connection as a crash does, and as another's",
    "tests/security/test_identity.py": "asks since when a connection holds",
    "tests/security/test_short_windows.py": "cuts windows to lengths that a test cannot wait for",
}
"""Where it is done still, and what for."""

MOST_OTHERS = 31
"""Reaches into other things: it only goes down."""

NAMED_TUPLES = frozenset(("_asdict", "_fields", "_make", "_replace"))


def reaches(path: Path) -> Iterator[tuple[str, str]]:
    """Each private attribute of something else that a file uses: its owner, and the expression."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    own = {node.attr for node in attributes if _name(node.value) in ("self", "cls")}
    own |= {node.name for node in nodes if isinstance(node, ast.FunctionDef)} | NAMED_TUPLES
    for node in attributes:
        is_private = node.attr.startswith("_") and not node.attr.startswith("__")
        if is_private and node.attr not in own and _name(node.value) != "os":
            yield _name(node.value), ast.unparse(node)


def _name(node: ast.expr) -> str:
    return getattr(node, "id", getattr(node, "attr", ""))


def test_no_test_reaches_into_the_parts_of_an_agent_or_a_collector() -> None:
    into_parts: dict[str, list[str]] = {}
    others: list[str] = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        name = str(path.relative_to(ROOT))
        for owner, expression in reaches(path):
            if owner in OWNERS:
                into_parts.setdefault(name, []).append(expression)
            else:
                others.append(f"{name}: {expression}")
    assert {name: into for name, into in into_parts.items() if name not in STILL} == {}
    assert into_parts.keys() == STILL.keys()  # whoever mends one takes it out
    assert len(others) <= MOST_OTHERS, others


def test_a_reach_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "test_a.py"
    path.write_text(
        "def test_it(agent, server, link):\n"
        "    agent._outbox.add(server.service._rooms)\n"
        "    link.connected = agent.mood._replace(seq=1)\n"
    )
    assert sorted(reaches(path)) == [
        ("agent", "agent._outbox"),
        ("service", "server.service._rooms"),
    ]
