"""Pages for the device itself: a small web server on loopback, for the kiosk and for aiming.

The standard library's server: two screens' worth of requests, and nothing more to install on a
device. Every answer forbids keeping and framing it; a request that came through another name or
from another page is refused, so no page elsewhere can press a button here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from edge.common.errors import UserError
from edge.common.worker import Worker

LOOPBACK = "127.0.0.1"
MOST_BYTES = 1024
ENDS_IN_S, POLL_S = 2.0, 0.2
TIMEOUT_S = 10

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; "
    "frame-ancestors 'none'; form-action 'self'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class PageRequest(NamedTuple):
    """A request: `GET /panel`, what its address and form say, and its session cookie."""

    what: str
    query: dict[str, str]
    form: dict[str, str]
    session: str


class Answer(NamedTuple):
    body: bytes = b""
    kind: str = "text/html; charset=utf-8"
    status: int = 200
    go_to: str | None = None
    session: str | None = None


NOT_FOUND = Answer(b"not found\n", "text/plain", 404)
REFUSAL = Answer(b"refused\n", "text/plain", 403)
ENDING = Answer(b"ending\n", "text/plain", 503)


Routes = Mapping[str, Callable[[PageRequest], Answer]]
"""What answers `GET /panel`, and so on."""

KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


class LocalPages(Worker):
    """Serves routes, and a folder's scripts and styles, until `stop`; port 0 is any free one.

    `key` names the port's setting in a UserError. Once `stop` has returned no route is under way,
    so that what they use may be closed.
    """

    def __init__(self, name: str, port: int, routes: Routes, folder: Path | None, key: str) -> None:
        super().__init__(name, ends_in_s=ENDS_IN_S)
        self._under_way = 0
        self._count = threading.Condition()
        static = {
            f"GET /static/{path.name}": Answer(path.read_bytes(), KINDS[path.suffix])
            for path in (folder.iterdir() if folder else ())
            if path.suffix in KINDS
        }

        def answer(request: PageRequest) -> Answer:
            route = routes.get(request.what)
            return self._answer(route, request) if route else static.get(request.what, NOT_FOUND)

        handler = type("Handler", (_Handler,), {"answer": staticmethod(answer)})
        try:
            self._server = ThreadingHTTPServer((LOOPBACK, port), handler)
        except OSError as error:
            raise UserError(
                str(error.strerror), f"{key}: port {port}", "choose another port"
            ) from None
        self._server.daemon_threads = True
        self._server.timeout = POLL_S

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._server.server_port}"

    def run_once(self) -> None:
        """Answers one request, if there is one, in a thread of its own."""
        self._server.handle_request()

    def stop(self) -> bool:
        has_ended = super().stop()
        self._server.server_close()
        with self._count:
            return self._count.wait_for(lambda: not self._under_way, ENDS_IN_S) and has_ended

    def _answer(self, route: Callable[[PageRequest], Answer], request: PageRequest) -> Answer:
        with self._count:
            if self._stopping.is_set():
                return ENDING
            self._under_way += 1
        try:
            return route(request)
        finally:
            with self._count:
                self._under_way -= 1
                self._count.notify_all()


class _Handler(BaseHTTPRequestHandler):
    answer: Callable[[PageRequest], Answer]
    timeout = TIMEOUT_S
    server_version, sys_version = "roommood", ""

    def do_GET(self) -> None:
        self._reply(self._read_request({}) if self._known_host() else None)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        origin = f"http://{self.headers.get('Host')}"
        if not (length.isdigit() and int(length) <= MOST_BYTES and self._known_host()):
            return self._reply(None)
        body = self.rfile.read(int(length))
        if self.headers.get("Origin") != origin:
            return self._reply(None)
        return self._reply(self._read_request(dict(parse_qsl(body.decode("ascii", "replace")))))

    def _known_host(self) -> bool:
        """A page elsewhere may have its name lead here; the name betrays it."""
        port = int(self.connection.getsockname()[1])
        return self.headers.get("Host") in (f"{LOOPBACK}:{port}", f"localhost:{port}")

    def _read_request(self, form: dict[str, str]) -> PageRequest:
        parts = urlsplit(self.path)
        try:
            session = SimpleCookie(self.headers.get("Cookie", "")).get("session")
        except CookieError:
            session = None
        return PageRequest(
            f"{self.command} {parts.path}",
            dict(parse_qsl(parts.query)),
            form,
            session.value if session else "",
        )

    def _reply(self, request: PageRequest | None) -> None:
        reply = type(self).answer(request) if request else REFUSAL
        self.send_response(303 if reply.go_to else reply.status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        if reply.go_to:
            self.send_header("Location", reply.go_to)
        if reply.session:
            cookie = f"session={reply.session}; HttpOnly; SameSite=Strict; Path=/"
            self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: Any) -> None:
        """Says nothing: a page that renews itself every second is no news."""
