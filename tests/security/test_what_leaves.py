"""Everything that leaves the room, from the types: none carries a sentence, all are documented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from edge.device.sync import Empty
from edge.protocol import device_api
from edge.protocol.device_api import DeviceMessage, DeviceReport, update_failure
from edge.protocol.messages import Ack, Command, Health, Message, Mood, Status
from tests.conftest import ROOT

MQTT: tuple[type[BaseModel], ...] = (Mood, Status, Health)
HTTPS: tuple[type[BaseModel], ...] = (
    *(device_api.Hello, device_api.EnrolmentRequest, device_api.StatusQuery, Empty),
    *(device_api.SignedMessage, device_api.Renewal, DeviceReport, device_api.BundleRequest),
)
COME_IN: tuple[type[BaseModel], ...] = (
    *(Ack, Command, device_api.Welcome, device_api.BrokerAddress, device_api.Grant),
    *(device_api.RequestStatus, device_api.Challenge, device_api.RenewalReply),
    *(device_api.AvailableUpdate, device_api.ReportReply),
)
OPAQUE = {
    ("EnrolmentRequest", "csr"): "a public key and the room's name, signed with the key",
    ("Renewal", "csr"): "the same",
    ("SignedMessage", "body"): "one of Renewal, DeviceReport, BundleRequest",
}
"""The only texts without a pattern, and what is in them."""

PAGE = (ROOT / "docs" / "privacy-audit.md").read_text()


def kinds(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_every_type_of_message_is_known_to_leave_or_to_come_in() -> None:
    known_modules = {*MQTT, *HTTPS, *COME_IN}
    ours = {
        kind for kind in {*kinds(Message), *kinds(DeviceMessage)} if "tests" not in kind.__module__
    }
    assert ours == known_modules


def texts(schema: Any) -> Iterator[Any]:
    """Every part of a JSON Schema that is a text of no fixed choice."""
    if isinstance(schema, dict):
        if schema.get("type") == "string" and not {"enum", "const"} & schema.keys():
            yield schema
        for key, part in schema.items():
            if key != "propertyNames":
                yield from texts(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from texts(part)


@pytest.mark.parametrize("kind", [*MQTT, *HTTPS], ids=lambda kind: kind.__name__)
def test_nothing_that_leaves_can_hold_a_sentence(kind: type[BaseModel]) -> None:
    schema = kind.model_json_schema()
    for name, field in schema.get("properties", {}).items():
        if (kind.__name__, name) in OPAQUE:
            continue
        for text in texts(field):
            is_bounded = "pattern" in text or text.get("format") in ("date-time", "uuid")
            assert is_bounded, f"{kind.__name__}.{name}: {text}"
            assert not re.fullmatch(text.get("pattern", "x"), "r101 09:15: 7 happy")


@pytest.mark.parametrize("kind", [*MQTT, *HTTPS], ids=lambda kind: kind.__name__)
def test_all_that_leaves_is_on_the_page(kind: type[BaseModel]) -> None:
    row = next((line for line in PAGE.splitlines() if line.startswith(f"| `{kind.__name__}`")), "")
    assert row, f"{kind.__name__} has no row"
    names = [field.alias or name for name, field in kind.model_fields.items()]
    assert [name for name in names if f"`{name}`" not in row] == []


@given(st.text(max_size=200))
def test_a_report_says_why_with_a_word_of_a_list(text: str) -> None:
    report = DeviceReport.model_validate({"version": "1", "hardware": "", "because": text})
    assert report.because in device_api.FAILURES
    assert report.because == text or report.because == update_failure(text)


@pytest.mark.parametrize(
    ("sentence", "word"),
    [
        ("the agent did not get through one window with it", "no_window"),
        ("the agent ended 5 times before a window's end", "crashed"),
        ("no frame in 2 windows", "no_frames"),
        ("camera's driver: has not moved for 60 s", "stalled"),
        ("memory: 612 MB, more than 500 MB", "stalled"),
        ("update: its model cannot be run (killed): sign one with …", "model"),
        ("a downgrade: number 7 was installed before", "downgrade"),
        ("update: its number is not the one that was offered: sign it again", "damaged"),
        ("update: made for site 'other', not for 'school': sign it for this site", "damaged"),
        ("update: model.tflite is damaged: download or sign it again", "damaged"),
        ("r101 09:15: 7 happy", "invalid"),
    ],
)
def test_the_devices_sentences_have_their_word(sentence: str, word: str) -> None:
    assert update_failure(sentence) == word
