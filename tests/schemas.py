"""Writes the JSON Schemas of the messages: `python -m tests.schemas`."""

from __future__ import annotations

import json

from edge.protocol.messages import Ack, Command, Message, Mood, Status
from tests.conftest import ROOT

FOLDER = ROOT / "docs" / "schemas"
KINDS: dict[str, type[Message]] = {"mood": Mood, "status": Status, "ack": Ack, "command": Command}


def schema(kind: type[Message]) -> str:
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema"
    } | kind.model_json_schema()
    return json.dumps(document, indent=2) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, kind in KINDS.items():
        (FOLDER / f"{name}.json").write_text(schema(kind), encoding="utf-8")
