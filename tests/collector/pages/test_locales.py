from __future__ import annotations

import re
from typing import Any, get_args

import pytest
from starlette.requests import Request

from collector.lessons.checkins import ANSWERS
from collector.live.rooms import RoomState
from collector.pages.render import language_of
from collector.pages.room_summary import ORDER
from collector.pages.words import LANGUAGES, words
from edge.protocol.messages import Pause, WithholdReason


def flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    texts: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            texts |= flat(value, f"{prefix}{key}.")
        else:
            texts[f"{prefix}{key}"] = value
    return texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text_with_the_same_places(language: str) -> None:
    english, theirs = flat(words("en")), flat(words(language))
    assert theirs.keys() == english.keys()
    for key, text in theirs.items():
        assert isinstance(text, str), key
        assert sorted(re.findall(r"{\d?}", text)) == sorted(re.findall(r"{\d?}", english[key])), key


def test_there_are_words_for_all_that_may_be_told() -> None:
    t = words("en")
    assert set(get_args(RoomState)) == set(t["states"])
    assert set(get_args(Pause)) == set(t["pauses"])
    assert set(get_args(WithholdReason)) - {"paused"} <= set(t["sentences"])
    assert set(ORDER) <= set(t["labels"])
    assert set(ANSWERS) == set(t["check"]["answers"])


@pytest.mark.parametrize(
    ("cookie", "header", "language"),
    [
        ("", "de-AT,de;q=0.9,en;q=0.8", "de"),
        ("", "fr", "fr"),
        ("", "ja", "en"),
        ("", "", "en"),
        ("language=es", "de", "es"),
        ("language=xx", "de", "de"),
    ],
)
def test_the_language_that_is_chosen_or_asked_for(cookie: str, header: str, language: str) -> None:
    headers = [(b"cookie", cookie.encode()), (b"accept-language", header.encode())]
    assert language_of(Request({"type": "http", "headers": headers})) == language
