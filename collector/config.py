"""The collector's settings: each default beside its check."""

from __future__ import annotations

import re
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from babel import Locale
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from collector.alert_settings import AlertSettings
from collector.backup_settings import BackupSettings
from edge.common.address import Host, mask, mask_path, split, web_address
from edge.common.broker import BrokerSettings, FilePath
from edge.common.calendar_sources import CalendarPlace
from edge.common.errors import SettingError
from edge.common.holidays import HolidaySpan
from edge.common.school_day import TimeZone
from edge.common.settings import Mask, Section
from edge.protocol.messages import Label, Name

RoomKey = Annotated[str, Field(pattern=r"^([a-z0-9-]{1,32}/)?[a-z0-9-]{1,32}$")]
EventName = Literal["lesson_began", "lesson_ended", "room_state", "alert_began", "alert_ended"]


def _known_region(code: str) -> str:
    if code not in Locale("en").territories or len(code) != 2:
        raise SettingError(f"no region {code!r}", "write a code of ISO 3166-1 in capitals, as US")
    return code


AnswerText = Annotated[str, Field(min_length=1, max_length=40)]
Region = Annotated[str, AfterValidator(_known_region)]
DateOrder = Literal["dmy", "mdy", "ymd"]
"""How a spreadsheet writes its days."""


POSTGRESQL_DRIVERS = ("psycopg", "psycopg2", "pg8000")
"""By preference."""


def _driver() -> str:
    """The one that is installed; the first where none is, so that the error names it."""
    return next((name for name in POSTGRESQL_DRIVERS if find_spec(name)), POSTGRESQL_DRIVERS[0])


def database_url(text: str) -> str:
    """A database's address with the driver that is installed; raises SettingError for no such."""
    address = split(text)
    try:
        url = make_url(text if address is None else address.encode())
    except (ArgumentError, ValueError):  # not repeated: there is a password in some
        raise SettingError(
            "not a database URL",
            "write sqlite:////var/lib/roommood.sqlite, or postgresql://user:password@host/name",
        ) from None
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise SettingError("unknown kind of database", "use sqlite or postgresql")
    if url.drivername == "postgresql":
        url = url.set(drivername=f"postgresql+{_driver()}")
    return url.render_as_string(hide_password=False)


def _without_slash(url: str | None) -> str | None:
    return None if url is None else url.rstrip("/")


class WebSettings(Section):
    """Where the pages are served."""

    host: Host = "127.0.0.1"
    port: int = Field(8642, ge=0, le=65535)
    url: Annotated[str | None, AfterValidator(_without_slash)] = Field(
        None, pattern=r"^https?://[^/\s?#@]+(/[A-Za-z0-9_~][A-Za-z0-9._~-]*)*/*$"
    )
    """How people reach it, where that is another address than host and port; with a path where a
    reverse proxy shows it below one, as in https://school.example/mood."""
    certificate: FilePath | None = None
    key: FilePath | None = None
    """PEM files; with them, HTTPS is served."""

    connections: int = Field(3000, ge=16, le=100_000)
    """At a time; where there is no room left, the one that has been idle longest makes it."""
    feeds: int = Field(1500, ge=1, le=100_000)
    """Live pages at a time, all together."""
    feeds_per_account: int = Field(100, ge=1, le=100_000)
    """The same of one account or share link."""
    proxies: tuple[str, ...] = ()
    """Addresses or networks of reverse proxies, whose word counts for where a request comes from;
    nobody else's does."""

    @field_validator("proxies")
    @classmethod
    def _networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ip_network(proxy)
            except ValueError:
                raise SettingError(
                    f"'{proxy}' is no address", "write an address, or a network as in 10.0.0.0/24"
                ) from None
        return proxies

    @model_validator(mode="after")
    def _both(self) -> WebSettings:
        if (self.certificate is None) != (self.key is None):
            raise SettingError("'certificate' and 'key' belong together", "set both or neither")
        return self

    @property
    def base(self) -> str:
        """The path below which people reach it: empty, or as in `/mood`."""
        return urlsplit(self.url or "").path

    @property
    def secure(self) -> bool:
        """Whether browsers reach it over HTTPS, so that cookies may insist on it."""
        return self.certificate is not None or (self.url or "").startswith("https:")


class SchoolSettings(Section):
    """What is this school's own."""

    timezone: TimeZone = "UTC"
    """As in Europe/Berlin: for timetables and reports."""
    region: Region | None = None
    """Where the school is, as in US: how times and dates are written there, in each language."""
    timetable: CalendarPlace | None = None
    """An iCalendar file, or CSV, or the https address of one: see docs/school.md."""
    holidays: tuple[HolidaySpan, ...] = ()
    """Days without lessons, as in 2026-12-21/2027-01-06."""
    holidays_calendar: CalendarPlace | None = None
    """An iCalendar file, or its https address; on the days of its events there are no lessons."""
    tentative: bool = False
    """Whether events that the calendar marks as tentative are lessons."""
    harmless: tuple[str, ...] = ()
    """Titles of events that say nothing of a lesson beside them, `*` for any letters."""
    date_order: DateOrder | None = None
    """Of dates in a CSV file such as 2/3/2026: dmy, mdy or ymd."""
    find_lessons: bool = True
    """Whether a room that fills up outside the timetable counts as a lesson."""
    attentive: tuple[Label, ...] = ()
    """Expressions that this school counts as attentive; without them no ratio is shown."""
    question: str | None = Field(None, min_length=1, max_length=120)
    """What a check-in asks; without it, how it goes."""
    answers: tuple[AnswerText, AnswerText, AnswerText] | None = None
    """What may be answered, from well to lost; without them, three usual ones."""
    markers: tuple[Annotated[str, Field(min_length=1, max_length=40)], ...] = Field(
        (), max_length=9
    )
    """What a lesson's markers are called, for one press each; without them, three usual ones."""


class RoomSettings(Section):
    """What people call a room."""

    title: str | None = Field(None, min_length=1, max_length=80)
    """Shown on pages in place of the name that topics have."""
    calendars: tuple[str, ...] = ()
    """How the timetable writes it, where that is something else."""


class Retention(Section):
    """Days that a site's windows and lessons are kept; after that they are deleted."""

    windows_days: int = Field(30, ge=1, le=3650)
    lessons_days: int = Field(365, ge=1, le=3650)


ANY_LANGUAGE = "any"
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
LineLanguage = Literal["any", "en", "de", "es", "fr"]
ByLanguage = Annotated[
    dict[LineLanguage, Line],
    BeforeValidator(lambda text: {ANY_LANGUAGE: text} if isinstance(text, str) else text),
    Field(min_length=1),
]
"""A text for people: one for all, or one for each language of the pages."""


class Contact(Section):
    """Somebody whom people may ask."""

    name: Line
    role: ByLanguage
    telephone: Line | None = None
    email: Line | None = None

    @model_validator(mode="after")
    def _check_contact(self) -> Contact:
        if self.telephone is None and self.email is None:
            raise SettingError("nobody can reach them", "add 'telephone' or 'email'")
        return self


class PublicPage(Section):
    """What anybody may read about a site without signing in; what is not said here is not shown."""

    title: Line | None = None
    """The school's name; without it, the site's."""
    responsible: Contact
    data_protection: Contact | None = None
    """Whom to ask instead, and to object to."""
    purpose: ByLanguage
    legal_basis: ByLanguage
    hours: ByLanguage | None = None
    """When cameras are open, in words; without it, the page says whom to ask."""
    complaints: ByLanguage | None = None
    """The authority to which people may complain."""
    attestations: tuple[FilePath, ...] = ()
    """Signed files as devices have them; those in updates are known without."""
    site_key: FilePath | None = None
    """The public half of the key that signed them, where there is no `fleet`."""


DISCOVERY = ".well-known/openid-configuration"


def _issuer(url: str) -> str:
    url = web_address(url)
    if url.rstrip("/").endswith(DISCOVERY):
        raise SettingError(
            "the address of its description, not of the provider", f"leave out /{DISCOVERY}"
        )
    return url


def _receiver(url: str) -> str:
    """Not repeated: it may be a secret as a whole."""
    if not re.fullmatch(r"https?://\S+", url):
        raise SettingError("no web address", "write it as in https://hooks.school.example/mood")
    return url


SCOPES = ("openid", "profile", "email", "groups")


NAME_CLAIMS = (
    "name",
    "given_name",
    "family_name",
    "nickname",
    "preferred_username",
    "upn",
    "profile",
)


def _claim(name: str) -> str:
    if name in NAME_CLAIMS:
        raise SettingError(
            f"people may choose their {name} themselves", "name a claim of groups or roles"
        )
    return name


def _with_openid(scopes: tuple[str, ...]) -> tuple[str, ...]:
    if "openid" not in scopes:
        raise SettingError("without openid nobody is identified", "add openid to it")
    return scopes


class OidcSettings(Section):
    """The school's OpenID Connect provider."""

    issuer: Annotated[str, AfterValidator(_issuer)]
    """Its address, below which is .well-known/openid-configuration."""
    client_id: str
    client_secret: SecretStr
    name: str = "the school's account"
    """On the button."""
    scopes: Annotated[tuple[str, ...], AfterValidator(_with_openid)] = SCOPES
    """By default without `groups` where the provider says that it has no such scope."""
    claim: Annotated[str, AfterValidator(_claim)] = Field("groups", min_length=1)
    """The claim that names groups, or the way to it, as in `realm_access.roles`. `email` counts
    where the provider says `email_verified: true`."""
    roles: dict[str, Literal["administrator", "it", "teacher"]] = Field(min_length=1)
    """Group to role; whoever is in none of them may not sign in."""
    confirm_hours: float = Field(24, gt=0, le=720)
    """So long after a sign-in the provider's word counts: then sessions, tokens and share links
    rest until the next one."""


class Webhook(Section):
    """Told of events by POST, signed as Standard Webhooks has it."""

    url: Annotated[str, AfterValidator(_receiver), Mask(mask_path)] = Field(max_length=500)
    secret: SecretStr
    """Base64, as in whsec_…"""
    events: tuple[EventName, ...] = ("lesson_began", "lesson_ended", "room_state")


class HomeAssistant(Section):
    """Rooms announce themselves to a Home Assistant on the same broker."""

    prefix: str = Field("homeassistant", pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")
    entities: Literal["all", "state"] = "all"
    """`state`: whether a room is live, paused or offline, and no counts: one entity for each."""


class FleetSettings(Section):
    """The site's authority, as `roommood site init` makes it, and what devices are told."""

    site: Name
    folder: FilePath
    broker_host: Host = Field(max_length=253)
    """As devices reach it."""
    broker_port: int = Field(8883, ge=1, le=65535)
    broker_log: FilePath | None = None
    """Mosquitto's log, from which refusals go to the audit log."""
    certificate_days: float = Field(90, gt=0, le=397)
    """A device's; it renews them after two thirds."""


class CollectorSettings(Section):
    """One collector for a school."""

    name: str = Field("collector", pattern=r"^[a-z0-9-]{1,32}$")
    """Tells two collectors on one broker apart."""
    database: Annotated[str, AfterValidator(database_url), Mask(mask)] = "sqlite:///roommood.sqlite"
    """An SQLAlchemy URL."""
    state: FilePath = Path("collector-state")
    """For its own key and the length of its audit log; nobody else should read it."""
    broker: BrokerSettings = BrokerSettings()
    web: WebSettings = WebSettings()
    school: SchoolSettings = SchoolSettings()
    rooms: dict[RoomKey, RoomSettings] = Field(default_factory=dict)
    """By room, or site/room."""
    retention: dict[str, Retention] = Field(default_factory=dict)
    """Per site; what is not named is kept for 30 and 365 days."""
    public: dict[Name, PublicPage] = Field(default_factory=dict)
    """Per site: a page that anybody may read; without it there is none."""
    audit_days: int = Field(730, ge=30, le=3650)
    """Days that the audit log's entries are kept; an entry says which ones went."""
    oidc: OidcSettings | None = None
    webhooks: tuple[Webhook, ...] = ()
    alerts: AlertSettings | None = None
    backup: BackupSettings = BackupSettings()
    home_assistant: HomeAssistant | None = None
    fleet: FleetSettings | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _with_keys(self) -> CollectorSettings:
        for site, page in self.public.items():
            if page.attestations and page.site_key is None and self.site_key(site) is None:
                raise SettingError(
                    f"public.{site}: nothing to check its attestations with",
                    "add 'site_key', the public half of the key that signed them",
                )
        return self

    def site_key(self, site: str) -> Path | None:
        """The public half of the key that signs what a site's devices believe."""
        page = self.public.get(site)
        if page is not None and page.site_key is not None:
            return page.site_key
        fleet = self.fleet
        return fleet.folder / "site.pub" if fleet is not None and fleet.site == site else None

    def title(self, site: str, room: str) -> str:
        """What people call a room."""
        own = self.rooms.get(f"{site}/{room}") or self.rooms.get(room)
        return (own.title if own else None) or room

    def retention_of(self, site: str) -> Retention:
        return self.retention.get(site, Retention())
