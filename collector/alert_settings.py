"""The settings of `alerts`: who is told by e-mail that something is wrong, and when."""

from __future__ import annotations

import re
from datetime import time
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from edge.common.address import Host
from edge.common.broker import FilePath
from edge.common.errors import SettingError
from edge.common.school_day import TimeZone
from edge.common.settings import Section
from edge.protocol.messages import Name

LOOPBACK = ("localhost", "127.0.0.1", "::1")
MAIL_PORTS = {"starttls": 587, "tls": 465, "none": 25}
MAIL_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


def _mail_address(text: str) -> str:
    """Not repeated: whoever writes a password here has it in no message."""
    text = text.strip()
    if len(text) > 254 or not MAIL_ADDRESS.fullmatch(text):
        raise SettingError("no e-mail address", "write it alone, as in it@school.example")
    return text


MailAddress = Annotated[str, AfterValidator(_mail_address)]
Recipients = Annotated[tuple[MailAddress, ...], Field(min_length=1, max_length=50)]


class EmailSettings(Section):
    """The school's mail server, who writes by it, and to whom."""

    former = MappingProxyType({"from": "sender", "user": "username"})

    server: Host = Field(max_length=253)
    tls: Literal["starttls", "tls", "none"] = "starttls"
    port: int | None = Field(None, ge=1, le=65535)
    """By default 587 with starttls, 465 with tls, 25 with none."""
    ca: FilePath | None = None
    """PEM of the authority that signed the server's certificate, where this machine does not know
    it."""
    username: str | None = None
    password: SecretStr = SecretStr("")
    sender: MailAddress
    to: Recipients
    """They are told of everything."""
    sites: dict[Name, Recipients] = Field(default_factory=dict)
    """They are told of one site's devices alone."""

    @model_validator(mode="after")
    def _password_needs_tls(self) -> EmailSettings:
        if self.tls == "none" and self.username and self.server not in LOOPBACK:
            raise SettingError("a password without TLS", "set 'tls' to starttls or tls")
        if bool(self.username) != bool(self.password.get_secret_value()):
            raise SettingError("'username' and 'password' belong together", "set both or neither")
        return self

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        return self.server, self.port or MAIL_PORTS[self.tls]


def _minute(value: time) -> time:
    if value.tzinfo or value.second or value.microsecond:
        raise SettingError("no time of day", "write hours and minutes, as in 07:30")
    return value


Minute = Annotated[time, AfterValidator(_minute)]


class QuietHours(Section):
    """Times of day between which nobody is told anything; over midnight where `end` is earlier."""

    start: Minute
    end: Minute
    tell_past: bool = True
    """Whether what came and went within them is told at their end."""

    @model_validator(mode="after")
    def _two_times(self) -> QuietHours:
        if self.start == self.end:
            raise SettingError("'start' and 'end' are the same", "write two times of day")
        return self


DeviceCause = Literal[
    "offline",
    "never_heard",
    "certificate_ended",
    "disk",
    "no_camera",
    "waiting",
    "hot",
    "pause_unreadable",
    "pause_clock",
    "clock",
    "update_refused",
    "not_renewed",
    "no_report",
    "headcount",
    "other_version",
    "revoked",
]
"""What can be wrong with a device, in the order in which IT wants to know: no numbers first, then
what will become so."""
OwnCause = Literal[
    "broker_unreachable",
    "collector_disk",
    "collector_certificate",
    "collector_backup",
    "collector_problem",
]
"""What can be wrong with the collector itself."""
CauseName = Literal[DeviceCause, OwnCause]


class AlertSettings(Section):
    """Who is told when something is wrong for longer than a moment."""

    email: EmailSettings | None = None
    language: Literal["en", "de", "es", "fr"] = "en"
    after_minutes: float = Field(10, ge=0, le=1440)
    """For how long something has to be wrong, and then right again, before anybody is told."""
    without: tuple[CauseName, ...] = ("headcount", "other_version", "revoked")
    """Causes that nobody is told of."""
    quiet: QuietHours | None = None
    digest: Minute | None = None
    """When a mail says what is wrong, once a day; none where nothing is."""
    digest_always: bool = False
    """Whether the digest comes where nothing is wrong, too."""
    timezone: TimeZone | None = None
    """By default that of the school."""
    mails_per_hour: int = Field(10, ge=2, le=1000)
    """To the same people; what is left is told in one mail later."""
