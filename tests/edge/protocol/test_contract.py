"""The documents of the contract say what the code does."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import Any, get_args

import jsonschema
import pytest
import yaml

from collector.config import CollectorSettings
from edge.common.settings import load
from edge.config import AgentSettings
from edge.protocol.messages import Ack, Command, Message, Mood, Status, WithholdReason, topic
from tests.conftest import BOOT, ROOT, mood
from tests.schemas import FOLDER, KINDS, schema

DOCS = ROOT / "docs"
MESSAGES: dict[str, Message] = {
    "mood": mood(),
    "status": Status(
        schema="roommood.status/1",
        site="school",
        room="r101",
        device="r101",
        boot=BOOT,
        state="online",
        at=datetime(2026, 3, 2, tzinfo=timezone.utc),
    ),
    "ack": Ack(boot=BOOT, seq=3),
    "command": Command(command="pause"),
}


@pytest.mark.parametrize("name", KINDS)
def test_the_schemas_are_those_of_the_code(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text() == schema(KINDS[name])


@pytest.mark.parametrize("name", KINDS)
def test_a_message_fits_its_schema_and_an_extra_field_does_not(name: str) -> None:
    json_schema: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    check = jsonschema.Draft202012Validator(json_schema)
    content = json.loads(MESSAGES[name].encode())
    check.validate(content)
    assert not check.is_valid(content | {"picture": "aGk="})
    for field in json_schema["required"]:
        assert not check.is_valid({k: v for k, v in content.items() if k != field})


def test_every_field_of_a_mood_is_required_and_documented() -> None:
    json_schema = json.loads((FOLDER / "mood.json").read_text())
    fields = {info.alias or name for name, info in Mood.model_fields.items()}
    assert set(json_schema["required"]) == fields - {"windows"}
    text = (DOCS / "contract.md").read_text()
    section = text.split("## A mood")[1].split("\n## ")[0]
    field_names = {
        name
        for row in re.findall(r"^\| (`[^|]+) \|", section, re.M)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert field_names == fields
    assert all(f"`{reason}`" in section for reason in get_args(WithholdReason))


def test_the_topics_are_those_of_the_code() -> None:
    channels = yaml.safe_load((DOCS / "asyncapi.yaml").read_text())["channels"]
    assert set(channels) == set(KINDS)
    for name, channel in channels.items():
        assert channel["address"] == topic("{site}", "{room}", name)
        (message,) = channel["messages"].values()
        assert (DOCS / message["payload"]["$ref"]).is_file()


def test_the_example_settings_are_valid() -> None:
    examples = ROOT / "deploy" / "examples"
    assert load(AgentSettings, examples / "agent.yaml").room == "r101"
    collector = load(CollectorSettings, examples / "collector.yaml")
    usual = CollectorSettings()
    changed = {"state": usual.state, "broker": usual.broker}  # but for its user
    assert collector.model_copy(update=changed) == usual
    assert collector.broker.username == "collector"
