"""Whatever settings may hold, made from their types: read or refused in words, and shown alike.

Agent and collector: what a valid file says is what `show-config` prints, and that is read again as
the same. Values are of the right kind mostly, and of a wrong one now and then.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from collector.config import CollectorSettings
from edge.common.errors import UserError
from edge.common.settings import Section, load, show
from edge.config import AgentSettings

Json: TypeAlias = Any

TEXTS = st.one_of(
    st.sampled_from(["r101", "101", "08:30", "8:30", "no", "null", "1e3", "~", "# x", "a: b", "-"]),
    st.sampled_from(["sim:seats=8,seed=2", "usb:0", "rtsp://10.0.0.4/x", "Europe/Berlin", "UTC"]),
    st.sampled_from(["2026-03-02", "2026-03-02/2026-03-09", "https://cal.example/a.ics", "a.ics"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12),
)
ANYTHING = st.one_of(st.none(), st.booleans(), st.integers(-9, 99), st.floats(), TEXTS)


def of_type(schema: Json, whole: Json) -> st.SearchStrategy[Json]:
    """Values of a JSON Schema, as pydantic writes it; of a key that is not required, seldom."""
    if "$ref" in schema:
        return st.deferred(
            lambda: of_type(whole["$defs"][schema["$ref"].rpartition("/")[2]], whole)
        )
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return st.one_of([of_type(one, whole) for one in schema["anyOf"]])
    if schema.get("type") == "object":
        return _mapping(schema, whole)
    return _list(schema, whole) if schema.get("type") == "array" else _scalar(schema)


def _list(schema: Json, whole: Json) -> st.SearchStrategy[Json]:
    if "prefixItems" in schema:
        return st.tuples(*(of_type(one, whole) for one in schema["prefixItems"])).map(list)
    items = of_type(schema.get("items", {}), whole)
    least = schema.get("minItems", 0)
    return st.lists(items, min_size=least, max_size=min(schema.get("maxItems", 3), least + 2))


def _mapping(schema: Json, whole: Json) -> st.SearchStrategy[Json]:
    own = {name: of_type(one, whole) for name, one in schema.get("properties", {}).items()}
    if not own:
        more = schema.get("additionalProperties")
        names = st.sampled_from(["r101", "school/r101", "101", "teachers", "R 1"])
        values = of_type(more, whole) if isinstance(more, dict) else ANYTHING
        return st.dictionaries(names, values, max_size=3)
    required_values = {name: own[name] for name in schema.get("required", [])}
    others = [name for name in own if name not in required_values]
    subset = st.lists(st.sampled_from(others), max_size=4, unique=True) if others else st.just([])
    return subset.flatmap(
        lambda names: st.fixed_dictionaries(
            {**required_values, **{name: own[name] for name in names}}
        )
    )


def _scalar(schema: Json) -> st.SearchStrategy[Json]:
    kind = schema.get("type")
    least, most = (schema.get(name) for name in ("minimum", "maximum"))
    least = schema.get("exclusiveMinimum", least)
    if kind == "integer":
        return st.integers(least if least is not None else -5, most if most is not None else 10**6)
    if kind == "number":
        return st.floats(least if least is not None else -5.0, most if most is not None else 1e6)
    if kind == "boolean":
        return st.booleans()
    if kind == "null":
        return st.none()
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True)
    return TEXTS if kind == "string" else ANYTHING


def some(kind: type[BaseModel]) -> st.SearchStrategy[dict[str, Json]]:
    """Settings, one key of which may have a value of any kind."""
    schema = kind.model_json_schema()
    good = of_type(schema, schema)
    wrong = st.dictionaries(st.sampled_from(sorted(schema["properties"])), ANYTHING, max_size=1)
    return st.one_of(good, st.builds(lambda one, other: {**one, **other}, good, wrong))


SHORTEST = {"site": "school", "room": "r101"}
KINDS: list[tuple[type[Section], dict[str, str]]] = [
    (AgentSettings, SHORTEST),
    (CollectorSettings, {"name": "c"}),
]


@pytest.mark.parametrize(("kind", "start"), KINDS)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_settings_are_refused_in_words_or_shown_as_they_are(
    tmp_path: Path, kind: type[Section], start: dict[str, str], data: st.DataObject
) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(json.dumps({**start, **data.draw(some(kind))}))
    try:
        first = load(kind, path)
    except UserError as error:
        event("refused")
        assert error.remedy  # noqa: PT017  # whether it raises is what is generated
        return
    event("valid")
    text = show(first)
    path.write_text(text)
    again = load(kind, path)
    assert show(again) == text
    if "**********" not in text:
        assert again == first
