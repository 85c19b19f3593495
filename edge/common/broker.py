"""The connection to the MQTT broker, the same at both ends of the wire: settings, TLS, versions.

`edge/common/link.py` keeps it up.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, model_validator

from edge.common.address import Host
from edge.common.clock import WallClock
from edge.common.errors import SettingError, UserError, in_words, unusable
from edge.common.settings import Section

log = logging.getLogger(__name__)

Version: TypeAlias = Literal["3.1.1", "5"]

VERSIONS: dict[Version, MQTTProtocolVersion] = {
    "3.1.1": MQTTProtocolVersion.MQTTv311,
    "5": MQTTProtocolVersion.MQTTv5,
}

SESSION_S = 86_400
"""For how long the broker keeps what came for us while we were away; MQTT 5 alone can say it."""

FIRST_WAIT_S, LONGEST_WAIT_S = 1, 4
"""Between attempts to connect: even 500 devices that try every four seconds are no load."""

WILL_WAITS_S = 10
"""A connection that comes back so soon is not told as offline; MQTT 5 alone can wait."""

NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL's x509_vfy.h, which Python has no name for."""


def from_folder(path: Path, info: ValidationInfo) -> Path:
    """A relative path, from the folder that the settings lie in."""
    folder = (info.context or {}).get("folder")
    return folder / path if folder else path


FilePath = Annotated[Path, AfterValidator(from_folder)]
"""A path in a settings file, taken from the folder the file lies in."""


class BrokerSettings(Section):
    """Where the broker is and how to prove who we are."""

    host: Host = "127.0.0.1"
    port: int = Field(1883, ge=1, le=65535)
    protocol: Literal["auto", "3.1.1", "5"] = "auto"
    """`auto`: MQTT 5, and 3.1.1 where the broker does not speak it."""
    username: str | None = None
    password: SecretStr = SecretStr("")
    ca: FilePath | None = None
    """PEM of the authority that signed the broker's certificate; turns TLS on."""
    certificate: FilePath | None = None
    """Of this client, for TLS alone; `key` may lie in the same file."""
    key: FilePath | None = None
    keepalive_s: int = Field(5, ge=2, le=3600)
    """A connection that is silent for twice as long is given up."""

    @model_validator(mode="after")
    def _has_what_tls_needs(self) -> BrokerSettings:
        """Else a connection that somebody wanted to be encrypted would be plain text."""
        names = [name for name in ("certificate", "key") if getattr(self, name)]
        if names and self.ca is None:
            own = " and ".join(f"'{name}'" for name in names)
            raise SettingError(
                f"{own} without 'ca', which alone turns TLS on",
                "add 'ca', the authority that signed the broker's certificate",
            )
        if names == ["key"]:
            raise SettingError("'key' without 'certificate'", "set both or neither")
        return self


class BeatingClient(mqtt.Client):
    """Calls `beat` at each turn of paho's loop: every second at least while there is a connection,
    unless its thread is held up."""

    beat: Callable[[], None] = staticmethod(lambda: None)

    def loop_misc(self) -> MQTTErrorCode:
        self.beat()
        return super().loop_misc()


def client(
    settings: BrokerSettings, client_id: str, version: Version, clock: WallClock
) -> BeatingClient:
    """A paho client, configured and not yet connected; raises UserError for unusable certificates.

    The session is kept by the broker between connections, so that QoS 1 messages which arrive
    while we are away are not lost.
    """
    options: dict[str, Any] = {"protocol": VERSIONS[version]}
    if version == "3.1.1":
        options["clean_session"] = False
    mqtt_client = BeatingClient(CallbackAPIVersion.VERSION2, client_id=client_id, **options)
    if settings.username:
        mqtt_client.username_pw_set(settings.username, settings.password.get_secret_value())
    if settings.ca:
        mqtt_client.tls_set_context(_tls(settings, settings.ca, clock))
    # With a limit paho walks through all that waits at each confirmation: a thousand
    # acknowledgements then take seconds. The outbox limits what is on its way by itself.
    mqtt_client.max_inflight_messages_set(0)
    mqtt_client.reconnect_delay_set(FIRST_WAIT_S, LONGEST_WAIT_S)
    return mqtt_client


def connect(mqtt_client: mqtt.Client, settings: BrokerSettings, version: Version) -> None:
    """Starts connecting in paho's thread; retries by itself, for ever, until `loop_stop`."""
    options: dict[str, Any] = {}
    if version == "5":
        options["clean_start"] = False
        options["properties"] = properties("CONNECT", SessionExpiryInterval=SESSION_S)
    mqtt_client.connect_async(settings.host, settings.port, settings.keepalive_s, **options)
    mqtt_client.loop_start()


def _tls(settings: BrokerSettings, ca: Path, clock: WallClock) -> ssl.SSLContext:
    """What a connection needs; on a clock that is before the floor, dates are not looked at.

    A Pi without a battery may start in 1970, when every certificate is yet to come, and get the
    time from nowhere. The chain, the name and the keys are checked all the same, and a clock that
    was set is always believed.
    """
    try:
        context = trusting(ca, clock)
        if settings.certificate:
            key = str(settings.key) if settings.key else None
            context.load_cert_chain(str(settings.certificate), key)
    except (OSError, ssl.SSLError) as error:
        raise _which(error, ca, settings) from None
    if clock.is_lost():
        log.warning("broker: clock predates this build; not checking certificate dates")
    return context


def _which(error: OSError, ca: Path, settings: BrokerSettings) -> UserError:
    """The file that is to blame: TLS itself names none."""
    files = [file for file in (ca, settings.certificate, settings.key) if file]
    for file in files:
        try:
            file.read_bytes()
        except OSError as failure:
            return unusable(failure, file, "copy it there again")
    names = ", ".join(str(file) for file in files)
    remedy = "check that they are PEM, and that certificate and key belong together"
    return UserError(f"cannot be used together ({in_words(error)})", f"broker: {names}", remedy)


def trusting(ca: Path, clock: WallClock) -> ssl.SSLContext:
    """TLS 1.2 and newer with servers of one authority; raises OSError for a file that is none.

    Dates are not looked at on a clock that is before the floor.
    """
    # Not Python's default context: from 3.13 on that refuses authorities without the newer
    # extensions, which many a school's own is.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cafile=str(ca))
    if clock.is_lost():
        context.verify_flags = ssl.VerifyFlags(context.verify_flags | NO_CHECK_TIME)
    return context


def properties(packet: str, **values: int) -> Any:
    """What MQTT 5 says besides with a packet of that name."""
    packet_properties = Properties(getattr(PacketTypes, packet))  # type: ignore[no-untyped-call]  # paho has no types here
    for name, value in values.items():
        setattr(packet_properties, name, value)
    return packet_properties
