from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.protocol.messages import MAX_BYTES, MessageError, Mood, Status, address, decode, topic
from tests.conftest import mood


def change(**fields: Any) -> bytes:
    content = json.loads(mood().encode())
    content.update(fields)
    return json.dumps(content).encode()


def test_a_mood_survives_the_wire() -> None:
    window = mood()
    assert decode(Mood, window.encode()) == window


def test_the_wire_form_is_the_contract() -> None:
    content = json.loads(mood().encode())
    assert content["schema"] == "roommood.mood/1"
    assert content["start"] == "2026-03-02T08:15:00.000Z"
    assert content["boot"] == str(mood().boot)
    assert set(content) == {
        *("schema", "site", "room", "device", "boot", "seq", "start", "seconds", "clock"),
        *("frames", "faces", "counts", "withheld", "model"),
    }


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"picture": "aGVsbG8="}, "picture"),
        ({"faces": 13}, "counts sum to 12, not 13"),
        ({"counts": {"happy": 12}}, "lack 'uncertain'"),
        ({"counts": {"Pat smiled": 9, "uncertain": 3}}, "counts"),
        ({"counts": {"happy": -1, "uncertain": 13}}, "counts"),
        ({"withheld": "few_faces"}, "null exactly when"),
        ({"counts": None, "withheld": "few_faces"}, "faces are null"),
        ({"counts": None, "faces": None}, "null exactly when"),
        ({"counts": None, "faces": None, "withheld": "shy"}, "withheld"),
        ({"start": "2026-03-02T08:15:00+01:00"}, "UTC"),
        ({"start": "2026-03-02T08:15:00"}, "UTC"),
        ({"faces": "12"}, "faces"),
        ({"seq": -1}, "seq"),
        ({"room": "Room 101"}, "room"),
        ({"model": "fer7"}, "model"),
        ({"seconds": 0}, "seconds"),
    ],
)
def test_anything_else_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(MessageError, match=words):
        decode(Mood, change(**fields))


def test_headcount_keeps_faces_and_no_counts() -> None:
    window = decode(Mood, change(counts=None, withheld="headcount_only"))
    assert (window.faces, window.counts) == (12, None)


def test_a_message_past_the_limit_is_refused_unread() -> None:
    with pytest.raises(MessageError, match="bytes"):
        decode(Mood, change(site="x" * MAX_BYTES))


def test_a_refusal_quotes_nothing_of_what_was_sent() -> None:
    with pytest.raises(MessageError) as refusal:
        decode(Mood, change(room="a pupil's name"))
    assert "pupil" not in str(refusal.value)


@given(st.binary(max_size=2000))
def test_no_bytes_do_harm(data: bytes) -> None:
    for kind in (Mood, Status):
        with pytest.raises(MessageError):
            decode(kind, data)


@given(
    st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1)),
    st.dictionaries(st.sampled_from(["happy", "sad", "neutral"]), st.integers(0, 40)),
)
def test_every_window_survives_the_wire(start: datetime, counts: dict[str, int]) -> None:
    whole_ms = start.replace(microsecond=start.microsecond // 1000 * 1000, tzinfo=timezone.utc)
    full = {**counts, "uncertain": 0}
    window = mood(start=whole_ms, counts=full, faces=sum(full.values()))
    assert decode(Mood, window.encode()) == window


def test_a_zone_of_zero_offset_is_utc() -> None:
    start = datetime(2026, 3, 2, 8, 15, tzinfo=timezone(timedelta(0)))
    assert mood(start=start) == mood()


def test_topics() -> None:
    assert topic("school", "r101", "mood") == "roommood/v1/school/r101/mood"
    assert address("roommood/v1/school/r101/ack") == ("school", "r101", "ack")
    assert address("roommood/v2/school/r101/ack") is None
    assert address("homeassistant/r101") is None
