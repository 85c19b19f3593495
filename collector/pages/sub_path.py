"""Pages that lie below a path of a reverse proxy, as in https://school.example/mood.

Routes, redirects and cookies inside know nothing of it: what comes in loses the path, what goes out
gets it. Addresses in templates get it where they are read (OwnAddresses). Whether the proxy takes
the path off before it passes a request on is all the same.
"""

from __future__ import annotations

import re
from typing import Any

from jinja2 import Environment
from jinja2.ext import Extension
from starlette.datastructures import URL, MutableHeaders

from collector.access.policy import ROUTES
from edge.common.errors import UserError

OWN = re.compile(r'(\b(?:href|src|action|data-live)=")(?=/(?!/)|\{\{ path \}\})')
"""Where an address of ours begins in a template."""

OWN_PATHS = {"static", *(path.split("/")[1] for _, path in ROUTES)} - {""}
"""How our own paths begin: below `/lessons` nobody could tell `/lessons/lessons` from a lesson."""


class OwnAddresses(Extension):
    """Every address of ours in a template begins with the path below which the pages lie."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals["base"] = ""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return OWN.sub(r"\1{{ base }}", source)


def check_base(base: str) -> None:
    """Raises UserError for a path that begins as a page of ours does."""
    if (first := base.partition("/")[2].partition("/")[0]) in OWN_PATHS:
        raise UserError(
            f"its path begins with '{first}', as pages of the collector's do",
            "web.url",
            "let the proxy use another path",
        )


class SubPath:
    """`app` below `base`, as in `/mood`; `base` may be empty.

    Raises UserError for one that begins as a page of ours does.
    """

    def __init__(self, app: Any, base: str) -> None:
        check_base(base)
        self._app, self._base = app, base

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        inner = scope | {
            "path": self._inside(scope["path"]),
            "raw_path": self._inside(scope["raw_path"].decode("latin-1")).encode("latin-1"),
        }

        async def outwards(message: Any) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                self._mend(MutableHeaders(scope=message), inner)
            await send(message)

        await self._app(inner, receive, outwards)

    def _inside(self, path: str) -> str:
        if path == self._base:
            return "/"
        return path[len(self._base) :] if path.startswith(f"{self._base}/") else path

    def _mend(self, headers: MutableHeaders, scope: Any) -> None:
        """Redirects and links get the base; cookies are for it, not for all of the host."""
        if (to := headers.get("location")) is not None:
            headers["location"] = self._outside(_relative(to, scope))
        if (link := headers.get("link")) is not None and link.startswith("</"):
            headers["link"] = f"<{self._outside(link[1:])}"
        if self._base:
            cookies = headers.getlist("set-cookie")
            del headers["set-cookie"]
            for cookie in cookies:
                own = re.sub(r"(?i)(;\s*path=)/(?=;|$)", rf"\g<1>{self._base}", cookie)
                headers.append("set-cookie", own)

    def _outside(self, address: str) -> str:
        own = address.startswith("/") and not address.startswith("//")
        return f"{self._base}{address}" if own else address


def _relative(address: str, scope: Any) -> str:
    """Without scheme and host where it is the asked address but for a slash: the framework builds
    that from the host that it sees, which behind a proxy is not what people see."""
    source, to = URL(scope=scope), URL(address)
    if to.netloc != source.netloc or to.path.rstrip("/") != source.path.rstrip("/"):
        return address
    return f"{to.path}?{to.query}" if to.query else to.path
