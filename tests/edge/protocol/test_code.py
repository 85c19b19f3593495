from __future__ import annotations

import pytest

from edge.common.errors import UserError
from edge.protocol.code import ALPHABET, Code, is_proven, proof


def test_a_code_is_read_as_people_type_it() -> None:
    code = Code("K7QX-M2PD-9F4T-XW3E")
    assert str(code) == "K7QX-M2PD-9F4T-XW3E"
    for text in ("k7qxm2pd9f4txw3e", " K7QX M2PD 9F4T XW3E ", "k7qx-m2pd-9f4t-xw3e"):
        assert Code(text).number == code.number
    assert Code("0O1I-L000-0000-0000").key == Code("0011-1000-0000-0000").key


@pytest.mark.parametrize("text", ["", "K7QX", "K7QX-M2PD-9F4T-XW3E-1", "K7QX-M2PD-9F4T-XW3U"])
def test_what_cannot_be_a_code_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="not a code: enter four groups of four"):
        Code(text)


def test_codes_are_random_and_their_number_tells_nothing_of_the_key() -> None:
    codes = {str(Code.new()) for _ in range(200)}
    assert len(codes) == 200
    assert set("".join(codes)) - {"-"} == set(ALPHABET)
    one = Code(codes.pop())
    assert one.number not in one.key
    assert len(one.number) == 16


def test_a_proof_holds_for_its_purpose_and_parts_alone() -> None:
    key = Code.new().key
    digest = proof(key, "welcome", "a", "bc")
    assert is_proven(digest, key, "welcome", "a", "bc")
    for purpose, parts in (("request", ("a", "bc")), ("welcome", ("ab", "c")), ("welcome", ("a",))):
        assert not is_proven(digest, key, purpose, *parts)
    assert not is_proven(digest, Code.new().key, "welcome", "a", "bc")
