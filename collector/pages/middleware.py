"""The web server's own part: middleware, errors in the reader's words, the socket."""

from __future__ import annotations

import asyncio
import http
import logging
import socket
from typing import Any
from urllib.parse import parse_qsl, quote

from asgi_csrf import asgi_csrf
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from secure import Secure
from secure.headers import (
    CacheControl,
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CustomHeader,
    PermissionsPolicy,
    ReferrerPolicy,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)
from secure.middleware import SecureASGIMiddleware
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException as StarletteException
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware

from collector.access.guard import Guard
from collector.access.policy import ANONYMOUS
from collector.access.secret import derive_key
from collector.access.sessions import SESSION_S
from collector.fleet.enrolment import EnrolmentDenied
from collector.pages.host_names import HostNames
from collector.pages.render import Renderer, language_of
from collector.pages.sub_path import SubPath
from collector.pages.words import words
from edge.common.errors import UserError

log = logging.getLogger(__name__)

LARGEST = 64 * 1024
"""Bytes of a request: no form of ours is near it."""

BODY_S = 10.0
"""For a request's body to come: whoever sends it byte by byte holds nothing for longer."""

FORM = "application/x-www-form-urlencoded"
CSRF_FIELD, CSRF_HEADER = "csrftoken", b"x-csrftoken"
"""Where asgi_csrf looks for a form's token."""


WHO_ASKS = frozenset({b"cookie", b"authorization"})
"""The headers that name somebody."""

PUBLIC_FIELDS = {
    b"cache-control": b"public, max-age=300",
    b"vary": b"Accept-Language, Accept-Encoding",
}

OWN_PAGES = (b"same-origin", b"none")
"""Where a form may come from, as browsers say it (W3C, Fetch Metadata): a neighbour below the same
domain could set a cookie of ours, and send the token that fits it."""

COME_AT_ONCE = 256
"""Connections that wait to be accepted. One that finds no place there is tried again by its browser
a whole second later; one behind thousands waits for seconds: `roommood bench collector --flood`."""


class Forms:
    """The paths whose forms need our token even from a browser that has no cookie of ours, which
    the guard would wave through: that is how somebody is signed in as somebody else, unasked.

    Scripts and devices have no pages to take one from, and no cookie that could be misused.
    """

    def __contains__(self, path: str) -> bool:
        return not path.startswith(("/api/", "/device/"))


def headers(secure: bool) -> Secure:
    """The same strict headers on every answer, streams included."""
    policy = (
        ContentSecurityPolicy()
        .default_src("'none'")
        .script_src("'self'")
        .style_src("'self'")
        .img_src("'self'")
        .connect_src("'self'")
        .manifest_src("'self'")
        .base_uri("'none'")
        .form_action("'self'")
        .frame_ancestors("'none'")
    )
    return Secure(
        csp=policy,
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
        referrer=ReferrerPolicy().no_referrer(),
        cache=CacheControl().no_store(),
        coop=CrossOriginOpenerPolicy().same_origin(),
        permissions=PermissionsPolicy().camera().microphone().geolocation(),
        custom=[CustomHeader("cross-origin-resource-policy", "same-origin")],
        hsts=StrictTransportSecurity().max_age(31_536_000) if secure else None,
    )


class RequestFilter:
    """Refuses what the libraries behind would stumble over: other forms, and too large ones."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and _has_zero(scope["path"], scope["query_string"]):
            await PlainTextResponse(http.HTTPStatus(400).phrase, 400)(scope, receive, send)
            return
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            fields = dict(scope["headers"])
            kind = fields.get(b"content-type", FORM.encode()).split(b";")[0].strip().lower()
            length = fields.get(b"content-length", b"0")
            status = 0
            if fields.get(b"sec-fetch-site", b"none").lower() not in OWN_PAGES:
                status = 403
            elif b"transfer-encoding" in fields or not length.isdigit() or int(length) > LARGEST:
                status = 413
            elif kind not in (FORM.encode(), b"application/json"):
                status = 415
            if status:
                answer = PlainTextResponse(http.HTTPStatus(status).phrase, status)
                await answer(scope, receive, send)
                return
            try:
                body = await asyncio.wait_for(_whole(receive), BODY_S)
            except asyncio.TimeoutError:
                await PlainTextResponse(http.HTTPStatus(408).phrase, 408)(scope, receive, send)
                return
            if body is None:
                return
            if _has_zero("", body) or not _has_plain_token(fields, body):
                await PlainTextResponse(http.HTTPStatus(400).phrase, 400)(scope, receive, send)
                return
            receive = _replay(body, receive)
        try:
            await self._app(scope, receive, send)
        except UnicodeDecodeError:
            await PlainTextResponse("not UTF-8", 400)(scope, receive, send)


class Compression:
    """GZip for all but feeds: it would hold back their beginning until there is news."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._gzip = GZipMiddleware(app, minimum_size=1000)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        feed = scope["type"] == "http" and scope["path"].endswith("/live")
        await (self._app if feed else self._gzip)(scope, receive, send)


class AnonymousPages:
    """The pages that are everybody's: whoever asks is nobody there, gets no cookie, and a proxy or
    browser may keep what came back for a while."""

    def __init__(self, app: Any, base: str) -> None:
        self._app, self._starts = app, (ANONYMOUS, f"{base}{ANONYMOUS}")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self._starts):
            await self._app(scope, receive, send)
            return

        async def nameless(message: Any) -> None:
            if message["type"] == "http.response.start":
                is_page = message["status"] == http.HTTPStatus.OK
                more = PUBLIC_FIELDS if is_page else {}
                drops = {b"set-cookie", *more}
                fields = [one for one in message["headers"] if one[0].lower() not in drops]
                message = message | {"headers": [*fields, *more.items()]}
            await send(message)

        request_fields = [(name, value) for name, value in scope["headers"] if name not in WHO_ASKS]
        await self._app(scope | {"headers": request_fields}, receive, nameless)


def _has_zero(path: str, text: bytes) -> bool:
    """Whether there is a character of number zero, which PostgreSQL takes in no text: as it is, or
    as addresses, forms and JSON write it."""
    return "\0" in path or any(zero in text for zero in (b"\0", b"%00", rb"\u0000"))


def _has_plain_token(fields: dict[bytes, bytes], body: bytes) -> bool:
    """Whether the form's token is of ASCII, as ours are: others the guard fails to compare."""
    form = parse_qsl(body.decode("utf-8", "replace"))
    tokens = [value for name, value in form if name == CSRF_FIELD]
    tokens.append(fields.get(CSRF_HEADER, b"").decode("latin-1"))
    return all(token.isascii() for token in tokens)


async def _whole(receive: Any) -> bytes | None:
    """A request's body, which is small; None where the client has gone."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        part: bytes = message.get("body", b"")
        body += part
        if not message.get("more_body", False):
            return body


def _replay(body: bytes, receive: Any) -> Any:
    """A channel that tells the body first, and then what comes."""
    is_done = False

    async def channel() -> Any:
        nonlocal is_done
        if is_done:
            return await receive()
        is_done = True
        return {"type": "http.request", "body": body, "more_body": False}

    return channel


def protect(app: FastAPI, key: bytes, secure: bool, base: str = "", url: str | None = None) -> Any:
    """The app behind sessions, CSRF protection and headers; returns what the server is to run,
    below the path `base`. `url`: how people reach it, where that is said."""

    async def old_form(scope: Any, send: Any, _why: Any) -> None:
        text = words(language_of(Request(scope)))["errors"]["form"]
        await PlainTextResponse(text, 403)(scope, _nothing, send)

    inner = SessionMiddleware(
        Compression(app),
        secret_key=derive_key(key, "session").hex(),
        session_cookie="roommood",
        max_age=SESSION_S,
        same_site="lax",
        https_only=secure,
    )
    csrf_guard = asgi_csrf(
        inner,
        signing_secret=derive_key(key, "csrf").hex(),
        always_protect=Forms(),
        cookie_secure=secure,
        send_csrf_failed=old_form,
    )
    inside: Any = RequestFilter(SubPath(csrf_guard, base))
    if url is not None and not secure:
        inside = HostNames(inside, url)
    return AnonymousPages(SecureASGIMiddleware(inside, secure=headers(secure)), base)


async def _nothing() -> Any:
    return {"type": "http.disconnect"}


def answer_errors(app: FastAPI, renderer: Renderer, guard: Guard) -> None:
    """Pages get a page, the API gets JSON, and nobody a traceback."""

    def wants_data(request: Request) -> bool:
        path = request.url.path
        docs = path == "/api/docs"
        data = path.startswith(("/api/", "/device/"))
        return (data and not docs) or path in ("/metrics", "/healthz")

    def answer(request: Request, status: int, detail: Any, more: Any = None) -> Response:
        if wants_data(request):
            phrase = http.HTTPStatus(status).phrase
            return JSONResponse({"detail": detail or phrase}, status, headers=more)
        if status == 401:
            next = request.url.path if request.method == "GET" else "/"
            return RedirectResponse(f"/sign-in?next={quote(next, safe='/')}", 303)
        errors = words(language_of(request))["errors"]
        text = errors.get(detail if status == 503 and detail else str(status)) or detail
        title = errors["titles"].get(str(status)) or errors["title"]
        own = detail if status == 404 and request.url.path.startswith("/check") else None
        if not hasattr(request.state, "principal"):
            # No route, so that nobody has asked who it is: the page keeps the way back.
            request.state.principal = guard.who(request) if status == 404 else None
        page = renderer.page(request, "error.html", status, title=title, message=own or text)
        page.headers.update(more or {})
        return page

    @app.exception_handler(StarletteException)
    def http_error(request: Request, error: StarletteException) -> Response:
        return answer(request, error.status_code, error.detail, error.headers)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        if wants_data(request):
            faults = error.errors()
            return JSONResponse(
                {"detail": [{"loc": f["loc"], "msg": f["msg"], "type": f["type"]} for f in faults]},
                422,
            )
        return answer(request, 422, None)

    @app.exception_handler(UserError)
    def user_error(request: Request, error: UserError) -> Response:
        if wants_data(request):
            status = 409
            if isinstance(error, EnrolmentDenied):
                status = 429 if error.often else 403
            return JSONResponse({"detail": str(error), **error.fields()}, status)
        return renderer.page(request, "error.html", 409, message=str(error))

    @app.exception_handler(SQLAlchemyError)
    def database(request: Request, error: SQLAlchemyError) -> Response:
        log.error("database: %s", str(error).splitlines()[0])
        return answer(request, 503, None)


def listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named: asyncio turns Nagle's algorithm off on no other, and every answer on
    # a connection that is kept would wait 40 ms for it.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(
            COME_AT_ONCE
        )  # from now on nobody else gets the port, whatever the server waits for
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise UserError(reason, f"web: {host}:{port}", "choose another port or host") from None
    return listener
