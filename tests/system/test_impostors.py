"""Whoever is not who they say is refused, and the audit log tells of each."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import socket
import ssl
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from collector.fleet.authority import Authority, pem
from collector.fleet.enrolment import WRONG_CODES, EnrolmentDenied
from edge.common import atomic_file
from edge.common.errors import UserError
from edge.device.enrol import DeviceEnrolment
from edge.device.sync import DeviceSync
from edge.protocol.code import Code, proof
from edge.protocol.device_api import DeviceReport, EnrolmentRequest, Hello, Renewal
from edge.protocol.identity import new_key, private_pem, request
from edge.protocol.messages import Status
from tests.conftest import mood
from tests.fleet import SITE, Site
from tests.free import wait

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def device(site: Site) -> Path:
    """An enrolled device's folder."""
    return site.enrol_device("r101")


@contextmanager
def connection(site: Site, folder: Path, ca: Path | None = None) -> Iterator[mqtt.Client]:
    """To the listener for devices, with the certificate in a folder."""
    context = ssl.create_default_context(cafile=str(ca or site.ca))
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    client.tls_set_context(context)
    client.connect("localhost", site.place.broker_port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def old_tls() -> ssl.SSLContext:
    """A context that speaks TLS 1.0 alone."""
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1
    return old


def audit_has(site: Site, what: str, about: str) -> bool:
    return any(about in line for line in site.log_of(what))


def test_a_certificate_of_another_authority(site: Site, tmp_path: Path) -> None:
    own, key = new_key(), new_key()
    forger = Authority.make(SITE, own)
    atomic_file.write(tmp_path / "key.pem", private_pem(key))
    forgery = pem(forger.sign_device(request(key, "r101"), "r101"))
    (tmp_path / "certificate.pem").write_text(forgery)
    with connection(site, tmp_path) as client:
        time.sleep(0.5)
        assert not client.is_connected()
    wait(lambda: audit_has(site, "connection refused", "certificate verify failed"))


def test_no_certificate_at_all(site: Site) -> None:
    context = ssl.create_default_context(cafile=str(site.ca))
    with (
        socket.create_connection(("localhost", site.place.broker_port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
        pytest.raises(ssl.SSLError, match="REQUIRED"),
    ):
        secure.recv(1)  # with TLS 1.3 one is told after the handshake
    wait(lambda: audit_has(site, "connection refused", "did not return a certificate"))


@pytest.mark.parametrize("retain", [False, True])
def test_another_devices_topic(site: Site, device: Path, retain: bool) -> None:
    theirs = mood(room="r102", device="r102", seq=int(retain))
    topic = f"roommood/v1/{SITE}/r102/{'status' if retain else 'mood'}"
    with connection(site, device / "identity") as client:
        wait(client.is_connected)
        client.publish(topic, theirs.encode(), qos=1, retain=retain).wait_for_publish(5)
    wait(lambda: audit_has(site, "topic refused", topic[:80]))
    assert any(line.startswith("r101:") for line in site.log_of("topic refused"))
    assert site.service.rooms.view(SITE, "r102").mood is None
    listener = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="look")
    context = ssl.create_default_context(cafile=str(site.ca))
    folder = site.place.folder
    context.load_cert_chain(folder / "collector.pem", folder / "collector.key")
    listener.tls_set_context(context)
    topics: list[str] = []
    listener.on_message = lambda _c, _u, message: topics.append(message.topic)
    listener.connect("localhost", site.place.local_port)
    listener.subscribe(f"roommood/v1/{SITE}/r102/#")
    end = time.monotonic() + 1
    while time.monotonic() < end:
        listener.loop(0.1)
    listener.disconnect()
    assert topics == []


def test_a_message_that_could_hold_a_picture(site: Site, device: Path) -> None:
    topic = f"roommood/v1/{SITE}/r101/mood"
    with connection(site, device / "identity") as client:
        wait(client.is_connected)
        client.publish(topic, b"x" * 1025, qos=1)
        wait(lambda: audit_has(site, "message too large", topic))


def test_a_code_that_has_ended(site: Site, tmp_path: Path) -> None:
    code = site.invite("r103", seconds=0.05)
    time.sleep(0.1)
    with pytest.raises(UserError, match="this code has expired") as denial:
        DeviceEnrolment(site.url, code, tmp_path).run(lambda _line: None, 1)
    assert denial.value.remedy == "ask IT for a new one"  # as the collector raised it
    assert audit_has(site, "code refused", "school/r103: expired")
    assert not (tmp_path / "identity").exists()


def test_a_code_serves_for_one_device(site: Site, tmp_path: Path) -> None:
    code = site.invite("r104")
    first, second = tmp_path / "first", tmp_path / "second"
    with pytest.raises(UserError, match="nobody has approved this device yet"):
        DeviceEnrolment(site.url, code, first).run(lambda _line: None, 0)
    with pytest.raises(UserError, match="was used by another device"):
        DeviceEnrolment(site.url, code, second).run(lambda _line: None, 0)
    assert audit_has(site, "code refused", "school/r104: used already")
    # The first one goes on where it was, with the same key.
    assert len(site.enrol(first, code, lambda: site.approve((SITE, "r104")))) == 2


def test_a_message_that_is_sent_again(site: Site, device: Path) -> None:
    sync = DeviceSync(device)
    message = sync._sign("report", DeviceReport(version="1", hardware=""))
    with site.client() as client:
        headers = {
            "content": message.model_dump_json(),
            "headers": {"content-type": "application/json"},
        }
        assert client.post("/device/report", **headers).status_code == 200  # type: ignore[arg-type]  # httpx's keywords
        again = client.post("/device/report", **headers)  # type: ignore[arg-type]  # the same
    assert again.status_code == 403
    assert audit_has(site, "replay refused", "of school/r101: report")


def test_a_message_signed_by_somebody_else_or_for_something_else(site: Site, device: Path) -> None:
    sync = DeviceSync(device)
    body = Renewal(csr=request(new_key(), "r101"))
    with pytest.raises(UserError, match="signed for something else"):
        sync._caller.fetch("/device/renew", sync._sign("report", body))
    sync._identity.key = new_key()
    with pytest.raises(UserError, match="signature refused"):
        sync.renew()
    assert audit_has(site, "signature refused", "in the name of school/r101")


def test_a_renewal_in_another_rooms_name(site: Site, device: Path) -> None:
    sync = DeviceSync(device)
    body = Renewal(csr=request(new_key(), "r102"))
    with pytest.raises(UserError, match="not for room r101"):
        sync._caller.fetch("/device/renew", sync._sign("renew", body))


def test_a_card_in_another_machine(site: Site) -> None:
    state = site.enrol_device("r105")
    DeviceSync(state).run()
    sync = DeviceSync(state)
    with site.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE device SET hardware = 'aa' WHERE room = 'r105'")
    elsewhere = DeviceReport(version="1", hardware="0123456789abcdef")
    with pytest.raises(UserError, match="another machine than the one that was enrolled"):
        sync._caller.fetch("/device/report", sync._sign("report", elsewhere))
    assert audit_has(site, "copy refused", "school/r105: speaks from another machine")


def test_a_copy_made_before_the_renewal(site: Site) -> None:
    state = site.enrol_device("r106")
    copy = state.with_name("copy")
    shutil.copytree(state, copy, symlinks=True)
    genuine = DeviceSync(state)
    genuine.run()
    genuine.renew()
    genuine.run()
    with pytest.raises(UserError, match="the card may have been copied"):
        DeviceSync(copy).run()
    assert audit_has(site, "copy refused", "school/r106: a certificate that was renewed")


def test_two_machines_that_speak_for_one_room(site: Site) -> None:
    site.enrol_device("r107")

    def status(boot: UUID) -> Status:
        fields = {"site": SITE, "room": "r107", "device": "r107", "boot": boot, "state": "online"}
        at = mood().start
        return Status.model_validate({"schema": "roommood.status/1", "at": at, **fields})

    one, two = uuid4(), uuid4()
    for boot in (one, one, two, one):  # a restart, and a message that came late
        site.fleet.update_status(status(boot))
    assert not site.log_of("copy found")
    site.fleet.update_status(status(two))
    assert audit_has(site, "copy found", "school/r107")
    assert audit_has(site, "device revoked", "two machines spoke for the room")


def test_old_tls_is_refused_by_broker_and_collector(site: Site) -> None:
    for port in (site.place.broker_port, site.place.web_port):
        with (
            pytest.raises((ssl.SSLError, ConnectionError)),
            socket.create_connection(("localhost", port)) as plain,
        ):
            old_tls().wrap_socket(plain)
    wait(lambda: audit_has(site, "connection refused", "protocol"))


def test_who_said_all_before_the_broker_looked(site: Site) -> None:
    """Mosquitto words that otherwise, and a busy machine gets there by chance."""
    hello = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        old_tls().wrap_bio(ssl.MemoryBIO(), hello).do_handshake()
    address = ("127.0.0.1", site.place.broker_port)
    with socket.socket() as plain:
        plain.bind(("127.0.0.2", 0))
        with site.broker_waits():
            plain.connect(address)
            plain.sendall(hello.read())
        wait(lambda: "127.0.0.2: unsupported protocol" in site.log_of("connection refused"))


def test_somebody_in_between_who_does_not_know_the_code(site: Site, tmp_path: Path) -> None:
    """Even with an answer of the collector's own, for another code."""
    invitation, nonce = site.invite("r108"), secrets.token_hex(32)
    welcome = site.fleet.enrolment.hello(Hello(code=invitation.number, nonce=nonce), "here")
    other = Code.new()
    assert welcome.proof != proof(other.key, "welcome", nonce, SITE, "r108", welcome.authority)
    csr = request(new_key(), "r108")
    forgery = proof(other.key, "request", csr)
    message = EnrolmentRequest(
        code=invitation.number, csr=csr, hardware="", version="1", proof=forgery
    )
    with pytest.raises(UserError, match="this code is not known"):
        site.fleet.enrolment.request(message, "elsewhere")
    assert audit_has(site, "wrong code", "")


def test_ten_thousand_guesses(site: Site) -> None:
    code = site.invite("r109")
    answers: Counter[int] = Counter()
    nonce = secrets.token_hex(32)
    with site.client() as client:
        for _ in range(200):
            guess = {"code": secrets.token_hex(8), "nonce": nonce}
            answers[client.post("/device/hello", json=guess).status_code] += 1
        right = client.post("/device/hello", json={"code": code.number, "nonce": nonce})
    assert answers == {403: WRONG_CODES, 429: 200 - WRONG_CODES}
    assert right.status_code == 200  # whoever guesses keeps nobody out
    for _ in range(9_800):  # without HTTP around it, for speed; from another address
        with pytest.raises(EnrolmentDenied) as denial:
            site.fleet.enrolment.hello(Hello(code=secrets.token_hex(8), nonce=nonce), "far away")
        answers[429 if denial.value.often else 403] += 1
    assert answers == {403: 2 * WRONG_CODES, 429: 10_000 - 2 * WRONG_CODES}
    assert audit_has(site, "slowed down", "10 wrong codes")
    assert list(site.service.audit.wrong()) == []
