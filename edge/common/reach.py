"""Why a broker is not reached, in words, with the remedy; and a try of a connection.

The errors of sockets, TLS and paho say little to whoever has to correct the settings.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
import threading
from typing import Any

from edge.common.broker import BrokerSettings, Version, client
from edge.common.clock import WallClock
from edge.common.errors import Problem, in_words

WAITS_S = 8.0

VERIFY: dict[int, tuple[str, str]] = {
    9: ("its certificate is not valid yet", "check this machine's clock"),
    10: ("its certificate has expired", "renew it on the broker, and check this machine's clock"),
    62: (
        "its certificate is for another name",
        "set broker.host to a name that the certificate has, or issue one for this name",
    ),
    64: (
        "its certificate is for another address",
        "set broker.host to a name or address that the certificate has",
    ),
}
"""By OpenSSL's X509_V_ERR codes, x509_vfy.h."""

OTHER_TLS = (
    "does not speak TLS as we do",
    "check broker.port (8883 is usual with TLS, 1883 without), and broker.ca, which turns TLS on",
)
NO_CERTIFICATE = (
    "rejects our certificate",
    "check broker.certificate and broker.key; on an enrolled device `roommood agent doctor` asks "
    "the collector why",
)

UNKNOWN_NAME = (
    "this name is not known here",
    "check broker.host, and this machine's DNS server",
)
NOBODY = ("nothing accepts connections there", "check broker.port, and that the broker runs")
NO_ANSWER = ("no answer", "check broker.host, the network, and firewalls on the way")
NO_WAY = ("it cannot be reached from this network", "check the network, and broker.host")
CLOSE_REASONS = (
    "closes the connection without an answer",
    "check broker.port; where the broker wants TLS, set broker.ca",
)


SILENT = ("no answer", CLOSE_REASONS[1])
"""It takes the connection, and then nothing comes."""

LOG = "see the broker's log for the reason"
LOGIN = "check broker.username, broker.password and broker.certificate"
LATER = "wait: we go on trying; see the broker's log if it lasts"
ELSEWHERE = "set broker.host to the broker's new name, which whoever runs it knows"
BUG = f"report it to roommood; {LOG}"

REJECTIONS: dict[int, str] = {
    128: LOG,
    129: BUG,
    130: BUG,
    131: f"check the broker's rules; {LOG}",
    132: "set broker.protocol to auto, or to the version that the broker speaks",
    133: "check the broker's rules on client names",
    134: LOGIN,
    135: f"{LOGIN}, and the broker's rules for this user",
    136: f"check that the broker has started and is in order; {LATER}",
    137: f"check the load of the broker's machine; {LATER}",
    138: "whoever runs the broker has banned this client: ask there to lift it",
    140: "let the broker take a user and password, or a certificate: we speak no other method",
    144: "check the broker's rules on topics: roommood/v1/ must be allowed, for last wills too",
    149: "raise the broker's limit on the size of packets; 4 KiB are enough",
    151: "raise the broker's limits on clients and messages, or remove clients that are not used",
    154: "allow retained messages on the broker: the newest state of a room is one",
    155: "allow QoS 1 on the broker",
    156: ELSEWHERE,
    157: ELSEWHERE,
    159: f"raise the broker's limit on new connections, or find what connects so often; {LATER}",
}
"""The remedy by CONNACK's reason code, MQTT 5, 3.2.2.2."""

NO_ANSWER_IN_TIME = "Keep alive timeout"
"""Paho's name for it."""


def place(broker: BrokerSettings) -> str:
    """Where it is, as addresses are written."""
    host = f"[{broker.host}]" if ":" in broker.host else broker.host
    return f"{host}:{broker.port}"


def explain(error: BaseException, broker: BrokerSettings) -> Problem:
    """What an error of a connection means."""
    what, remedy = _meaning(error, broker)
    return Problem(what, place(broker), remedy)


def _meaning(error: BaseException, broker: BrokerSettings) -> tuple[str, str]:
    if isinstance(error, ssl.SSLError):
        return _tls_meaning(error, broker)
    number = error.errno if isinstance(error, OSError) else None
    meanings = (
        (isinstance(error, socket.gaierror), UNKNOWN_NAME),
        (isinstance(error, ConnectionRefusedError), NOBODY),
        (isinstance(error, TimeoutError) or number == errno.ETIMEDOUT, NO_ANSWER),
        (number in (errno.EHOSTUNREACH, errno.ENETUNREACH), NO_WAY),
        (isinstance(error, ConnectionError), OTHER_TLS if broker.ca else CLOSE_REASONS),
    )
    other = (in_words(error), "check the section 'broker' and the network")
    return next((meaning for holds, meaning in meanings if holds), other)


def _tls_meaning(error: ssl.SSLError, broker: BrokerSettings) -> tuple[str, str]:
    if isinstance(error, ssl.SSLCertVerificationError):
        authority = f"its certificate is not signed by {broker.ca}"
        return VERIFY.get(
            error.verify_code, (authority, "set broker.ca to the authority that signed it")
        )
    return NO_CERTIFICATE if "ALERT" in (error.reason or "").upper() else OTHER_TLS


def rejection(reason: Any, broker: BrokerSettings) -> Problem:
    """What a broker's own answer to CONNECT means, by the code of it, which paho gives for both
    versions as MQTT 5 has it."""
    remedy = REJECTIONS.get(reason.value, LOG)
    return Problem(f"rejects us ({reason})", place(broker), remedy)


def no_answer(reason: object, broker: BrokerSettings) -> Problem:
    """A broker that took the connection and ended it without a word, or said nothing at all."""
    what, remedy = NO_CERTIFICATE if broker.ca else CLOSE_REASONS
    if str(reason) == NO_ANSWER_IN_TIME:
        what, remedy = SILENT
    return Problem(what, place(broker), remedy)


def try_connection(broker: BrokerSettings, name: str) -> Problem | None:
    """Connects once, under a client id of its own, and says why that fails; None where it works.

    In MQTT 3.1.1, which every broker speaks, whatever the settings would find. Raises UserError for
    certificates that cannot be used.
    """
    answers: list[Any] = []
    ends: list[Any] = []
    outcome = threading.Event()
    version: Version = "5" if broker.protocol == "5" else "3.1.1"
    mqtt_client = client(broker, f"roommood-{name}-{os.getpid()}", version, WallClock())

    def on_connect(_c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        answers.append(reason)
        outcome.set()

    def on_disconnect(_c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        ends.append(reason)
        outcome.set()

    mqtt_client.on_connect = on_connect
    mqtt_client.on_disconnect = on_disconnect
    mqtt_client.connect_timeout = WAITS_S
    try:
        mqtt_client.connect(broker.host, broker.port, broker.keepalive_s)
    except OSError as error:
        return explain(error, broker)
    mqtt_client.loop_start()
    outcome.wait(WAITS_S)
    mqtt_client.on_disconnect = None
    mqtt_client.disconnect()
    mqtt_client.loop_stop()
    if not answers:
        return no_answer(ends[0] if ends else NO_ANSWER_IN_TIME, broker)
    return rejection(answers[0], broker) if answers[0].is_failure else None
