"""Certificates and invitations on real databases."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import Engine

from collector.fleet.authority import Authority
from collector.fleet.invitations import LONGEST_S, Invitations
from collector.fleet.registry import DeviceRegistry
from edge.common.errors import UserError
from edge.protocol.identity import new_key, request, serial

ROOM, OTHER = ("school", "r101"), ("school", "r102")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make("school", new_key())


def test_a_renewal_ends_the_old_certificate_only_when_the_new_one_is_used(
    engine: Engine, authority: Authority
) -> None:
    register = DeviceRegistry(engine)
    first, second, third = (
        authority.sign_device(request(new_key(), "r101"), "r101") for _ in range(3)
    )
    register.record(ROOM, first, "board")
    record = register.by_serial(serial(first))
    assert record is not None
    assert register.activate(record)
    register.record(ROOM, second)
    assert register.revocations() == []
    register.record(ROOM, third)  # the device never got the second one
    assert [one.serial for one in register.revocations()] == [serial(second)]
    newest = register.by_serial(serial(third))
    assert newest is not None
    assert register.activate(newest)
    states = {s: register.by_serial(serial(c)) for s, c in (("1", first), ("3", third))}
    assert [certificate.state if certificate else "" for certificate in states.values()] == [
        "replaced",
        "current",
    ]
    assert not register.activate(newest._replace(state="current"))


def test_another_device_takes_a_room_over(engine: Engine, authority: Authority) -> None:
    register = DeviceRegistry(engine)
    first, second = (authority.sign_device(request(new_key(), "r101"), "r101") for _ in range(2))
    register.record(ROOM, first, "one board")
    register.record(OTHER, authority.sign_device(request(new_key(), "r102"), "r102"), "third")
    register.record(ROOM, second, "another board")
    assert [(device.room, device.hardware) for device in register.all()] == [
        (ROOM, "another board"),
        (OTHER, "third"),
    ]
    old = register.by_serial(serial(first))
    assert old is not None
    assert (old.state, old.because) == ("revoked", "another device took the room over")
    assert register.all()[0].certificate == register.by_serial(serial(second))


def test_what_has_ended_by_itself_is_off_the_list(engine: Engine, authority: Authority) -> None:
    register = DeviceRegistry(engine)
    short = authority.sign_device(request(new_key(), "r101"), "r101", days=1e-5)
    register.record(ROOM, short, "")
    register.revoke(ROOM, "lost")
    time.sleep(1)
    assert register.revocations() == []


def test_a_second_invitation_ends_the_first(engine: Engine) -> None:
    invitations = Invitations(engine)
    first, other = invitations.invite(ROOM, "ian", 60), invitations.invite(OTHER, "ian", 60)
    second = invitations.invite(ROOM, "ian", 60)
    matches = [invitations.by_code(code.number) is not None for code in (first, other, second)]
    assert matches == [False, True, True]
    with pytest.raises(UserError, match="14 days at most"):
        invitations.invite(ROOM, "ian", LONGEST_S + 1)


@pytest.mark.parametrize(
    ("csr", "wrong"),
    [
        ("nonsense", "not a certificate request"),
        (request(new_key(), "r102"), "not for room r101"),
    ],
)
def test_a_request_that_is_not_the_rooms_is_not_signed(
    authority: Authority, csr: str, wrong: str
) -> None:
    with pytest.raises(UserError, match=wrong):
        authority.sign_device(csr, "r101")
