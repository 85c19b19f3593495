"""An error's three parts go unchanged from where it is raised to where it is shown."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Iterator
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge.common.errors import CameraFault, Problem, UserError
from tests.conftest import ROOT


def _kinds(base: type[Problem]) -> Iterator[str]:
    yield base.__name__
    for kind in base.__subclasses__():
        yield from _kinds(kind)


def _raises() -> list[tuple[str, ast.Call]]:
    """Every place in the product that makes such an error."""
    kinds = set(_kinds(Problem))
    calls = []
    for package in ("edge", "collector", "models", "deploy"):
        for file in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in kinds:
                    calls.append((f"{file.relative_to(ROOT)}:{node.lineno}", node))
    return calls


@given(what=st.text(min_size=1), where=st.text(), remedy=st.text())
def test_the_parts_are_what_was_raised_whatever_is_in_them(
    what: str, where: str, remedy: str
) -> None:
    error = UserError(what, where, remedy)
    assert error.fields() == {"what": what, "where": where, "remedy": remedy}
    assert str(error) == ": ".join(part for part in (where, what, remedy) if part)
    assert CameraFault(what, where, remedy).lasting().fields() == error.fields()
    assert pickle.loads(pickle.dumps(error)).fields() == error.fields()  # noqa: S301  # our own


def test_a_path_is_a_place() -> None:
    assert str(Problem("missing", Path("/x/y"), "copy it there")) == "/x/y: missing: copy it there"


def test_every_error_is_raised_with_a_remedy() -> None:
    calls = _raises()
    assert len(calls) > 200
    for place, call in calls:
        if len(call.args) == 3:
            remedy = call.args[2]
            assert not (isinstance(remedy, ast.Constant) and not remedy.value), place


def test_no_remedy_hides_in_what_is_wrong() -> None:
    """After a colon, as it did when an error was one sentence."""
    for place, call in _raises():
        if call.args and isinstance(call.args[0], ast.Constant):
            assert ": " not in str(call.args[0].value), place
