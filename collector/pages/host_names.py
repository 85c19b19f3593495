"""By which names the pages are asked for: a page elsewhere may have its own name lead here.

Then a browser in the school would pass to somebody outside what only the school's network reaches.
Over HTTPS no certificate fits such a name, and browsers refuse it themselves.
"""

from __future__ import annotations

import http
import ipaddress
import re
import socket
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse

HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^][@:/]+)(?::\d*)?")


class HostNames:
    """Answers for the name in `url`, for this machine's own, and for what is no name of others:
    addresses in digits, and names without a dot."""

    def __init__(self, app: Any, url: str) -> None:
        self._app = app
        self._names = {urlsplit(url).hostname, socket.gethostname().lower(), "localhost"}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or self._is_ours(scope):
            await self._app(scope, receive, send)
            return
        status = http.HTTPStatus.MISDIRECTED_REQUEST
        text = "not a name of this server: ask whoever runs it to set web.url\n"
        await PlainTextResponse(text, status)(scope, receive, send)

    def _is_ours(self, scope: Any) -> bool:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1:
            return not hosts  # no browser leaves it out
        match = HOST.fullmatch(hosts[0].decode("latin-1").lower())
        if match is None:
            return False
        name = match.group(1).strip("[]").rstrip(".")
        if name in self._names or not set(name) & set(".:"):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True
