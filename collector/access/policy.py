"""Who may do what: one table of rights, one of routes. What is in neither is refused.

The access matrix of the tests is made from these two tables; a route that is not here does not
answer, not even to an administrator.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from collector.access.accounts import Role
from collector.access.sessions import Scope

Of = Literal["room", "lesson", None]
"""What a right is about; a teacher or viewer has it of their own rooms or lessons only."""


class Right(NamedTuple):
    """Which roles have it, of what, and the scope that a token needs."""

    roles: frozenset[Role]
    of: Of = None
    scope: Scope = "read"
    about_own: bool = False
    """Whether it concerns the account itself: no use to whoever came with a link."""


EVERYONE: frozenset[Role] = frozenset({"administrator", "it", "teacher", "viewer"})
STAFF: frozenset[Role] = frozenset({"administrator", "it", "teacher"})
TEACHING: frozenset[Role] = frozenset({"administrator", "teacher"})
ADMINISTRATOR: frozenset[Role] = frozenset({"administrator"})

RIGHTS: dict[str, Right | None] = {
    "open": None,  # nobody needs to sign in for it
    "list": Right(EVERYONE),
    "see": Right(frozenset({"administrator", "teacher", "viewer"}), "room"),
    "check": Right(STAFF, "room"),  # how the device does: no counts
    "pause": Right(STAFF, "room", "control"),
    "teach": Right(TEACHING, "room", "control"),
    "lessons": Right(TEACHING),
    "report": Right(TEACHING, "lesson"),
    "read": Right(TEACHING | {"viewer"}, "lesson"),  # the report itself: it may be shared
    "note": Right(TEACHING, "lesson", "control"),
    "own": Right(STAFF, scope="manage", about_own=True),
    "administer": Right(ADMINISTRATOR, scope="manage"),
    "devices": Right(frozenset({"administrator", "it"})),
    "fleet": Right(frozenset({"administrator", "it"}), scope="manage"),
    "measure": Right(frozenset({"administrator", "it"}), scope="metrics"),
}

ROOM = "/rooms/{site}/{room}"
LESSON = "/lessons/{lesson}"

ROUTES: dict[tuple[str, str], str] = {
    # signing in, and the class's check-ins
    ("GET", "/sign-in"): "open",
    ("POST", "/sign-in"): "open",
    ("POST", "/sign-out"): "open",
    ("GET", "/oidc"): "open",
    ("GET", "/oidc/back"): "open",
    ("GET", "/enter/{secret}"): "open",
    ("POST", "/language"): "open",
    ("GET", "/check"): "open",
    ("GET", "/check/{code}"): "open",
    ("POST", "/check/{code}"): "open",
    ("POST", "/check/{code}/undo"): "open",
    ("GET", "/about/{site}"): "open",  # 404 unless the settings make the site public
    ("GET", "/about/{site}/{room}"): "open",
    ("GET", "/healthz"): "open",
    # devices: a code or a signature proves each message
    ("POST", "/device/hello"): "open",
    ("POST", "/device/requests"): "open",
    ("POST", "/device/requests/standing"): "open",
    ("POST", "/device/nonce"): "open",
    ("POST", "/device/renew"): "open",
    ("POST", "/device/report"): "open",
    ("POST", "/device/bundle"): "open",
    # pages
    ("GET", "/"): "list",
    ("GET", "/retention"): "list",
    ("GET", "/design"): "list",
    ("GET", "/api/docs"): "list",
    ("GET", "/api/openapi.json"): "list",
    ("GET", ROOM): "see",
    ("GET", ROOM + "/wall"): "see",
    ("GET", ROOM + "/live"): "see",
    ("POST", ROOM + "/command"): "pause",
    ("POST", ROOM + "/lessons"): "teach",
    ("POST", ROOM + "/links"): "teach",
    ("POST", ROOM + "/links/{link}/cut"): "teach",
    ("POST", ROOM + "/erase"): "administer",
    ("GET", "/lessons"): "lessons",
    ("GET", "/compare"): "lessons",
    ("GET", LESSON): "read",
    ("GET", LESSON + "/report.pdf"): "read",
    ("GET", LESSON + "/report.csv"): "report",
    ("GET", LESSON + "/figures.csv"): "report",
    ("GET", LESSON + "/report.parquet"): "report",
    ("POST", LESSON): "note",
    ("POST", LESSON + "/markers"): "note",
    ("POST", LESSON + "/markers/{marker}"): "note",
    ("POST", LESSON + "/end"): "note",
    ("POST", LESSON + "/erase"): "note",
    ("POST", LESSON + "/links"): "note",
    ("POST", LESSON + "/links/{link}/cut"): "note",
    ("GET", "/account"): "own",
    ("POST", "/account/password"): "own",
    ("POST", "/account/tokens"): "own",
    ("POST", "/account/tokens/{token}/revoke"): "own",
    ("GET", "/first-run"): "administer",
    ("GET", "/accounts"): "administer",
    ("POST", "/accounts"): "administer",
    ("POST", "/accounts/{account}"): "administer",
    ("POST", "/accounts/{account}/remove"): "administer",
    ("GET", "/audit"): "administer",
    ("GET", "/devices"): "devices",
    ("POST", "/devices/invite"): "fleet",
    ("POST", "/devices/requests/{number}/{decision}"): "fleet",
    ("POST", "/devices/{site}/{room}/revoke"): "fleet",
    ("POST", "/updates/{number}/{stage}"): "fleet",
    # the API
    ("GET", "/api/rooms"): "list",
    ("GET", "/api/rooms/{site}/{room}/moods"): "see",
    ("GET", "/api/rooms/{site}/{room}/live"): "see",
    ("GET", "/api/rooms/{site}/{room}/coverage"): "check",
    ("POST", "/api/rooms/{site}/{room}/command"): "pause",
    ("GET", "/api/lessons"): "lessons",
    ("GET", "/api/lessons/{lesson}"): "report",
    ("GET", "/api/devices"): "devices",
    ("GET", "/metrics"): "measure",
}


def sees_all(role: Role) -> bool:
    """Whether a role is bound to no room: the others see their own alone."""
    return role in ("administrator", "it")


ANONYMOUS = "/about/"
"""Where nobody is asked who it is: these pages are the same for all, and proxies may keep them."""

WITHOUT_DATABASE = frozenset({"/healthz"})
"""Paths that answer whatever becomes of the database, so that nobody is asked who it is."""
