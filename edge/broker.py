"""The connection to the MQTT broker, the same at both ends of the wire."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import Annotated, Any, Literal

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from pydantic import AfterValidator, Field, SecretStr, ValidationInfo

from edge.errors import Refusal
from edge.settings import Section


def _from_folder(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder")
    return folder / path if folder else path


FilePath = Annotated[Path, AfterValidator(_from_folder)]
"""A path in a settings file, taken from the folder the file lies in."""


class BrokerSettings(Section):
    """Where the broker is and how to prove who we are."""

    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(1883, ge=1, le=65535)
    protocol: Literal["3.1.1", "5"] = "3.1.1"
    username: str | None = None
    password: SecretStr = SecretStr("")
    ca: FilePath | None = None
    """PEM of the authority that signed the broker's certificate; turns TLS on."""
    certificate: FilePath | None = None
    key: FilePath | None = None
    keepalive_s: int = Field(30, ge=5, le=3600)


def client(settings: BrokerSettings, client_id: str) -> mqtt.Client:
    """A paho client, configured and not yet connected; raises Refusal for unusable certificates.

    The session is kept by the broker between connections, so that QoS 1 messages which arrive
    while we are away are not lost.
    """
    kept: dict[str, Any]
    if settings.protocol == "5":
        kept = {"protocol": MQTTProtocolVersion.MQTTv5}
    else:
        kept = {"protocol": MQTTProtocolVersion.MQTTv311, "clean_session": False}
    made = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, **kept)
    if settings.username:
        made.username_pw_set(settings.username, settings.password.get_secret_value())
    if settings.ca:
        try:
            made.tls_set(
                ca_certs=str(settings.ca),
                certfile=str(settings.certificate) if settings.certificate else None,
                keyfile=str(settings.key) if settings.key else None,
                tls_version=ssl.PROTOCOL_TLS_CLIENT,
            )
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(
                str(f) for f in (settings.ca, settings.certificate, settings.key) if f
            )
            raise Refusal(f"broker: {files}: unusable ({error}): check the files") from None
    made.reconnect_delay_set(min_delay=1, max_delay=30)
    return made


def connect(made: mqtt.Client, settings: BrokerSettings) -> None:
    """Starts connecting in paho's thread; retries by itself, for ever, until `loop_stop`."""
    options: dict[str, Any] = {}
    if settings.protocol == "5":
        options["clean_start"] = False
        options["properties"] = _session_properties()
    made.connect_async(settings.host, settings.port, settings.keepalive_s, **options)
    made.loop_start()


def _session_properties() -> Any:
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no types here
    properties.SessionExpiryInterval = 86_400
    return properties


class Trouble:
    """Logs what is wrong with a connection when it begins, not at each attempt to mend it."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._now = ""

    def refused(self, reason: Any) -> None:
        self._say(f"refused us ({reason}): check user, password and certificate")

    def lost(self, reason: Any, meanwhile: str) -> None:
        if not self._now:
            self._say(f"connection lost ({reason}); {meanwhile}")

    def over(self) -> None:
        self._now = ""

    def _say(self, trouble: str) -> None:
        if trouble != self._now:
            self._log.warning("broker: %s", trouble)
        self._now = trouble
