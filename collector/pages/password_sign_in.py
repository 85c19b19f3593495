"""Signing in with a name and a password, for those who know it and at the pace of people."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from collector.access.accounts import Account, Accounts
from collector.access.audit import AuditLog
from collector.access.bounded_queue import BoundedQueue, QueueFull
from collector.access.guard import COOKIE, address, network
from collector.access.known_browsers import COOKIE as BROWSER
from collector.access.known_browsers import LASTS_S, KnownBrowsers
from collector.access.limits import Guesses, Pace
from collector.access.sessions import Sessions
from collector.pages.redirects import back_to

NAME_HERE = Pace(free=5, first_s=2.0, longest_s=900.0)
"""Wrong passwords for one name from one network."""
NAME_ANYWHERE = Pace(free=100, first_s=1.0, longest_s=60.0)
"""The same from all networks together."""
NETWORK = Pace(free=20, first_s=1.0, longest_s=30.0, forgives_one_s=30.0)
"""Wrong passwords for any names from one network: of whoever tries one password on every name. A
school has one address, so a right one takes nothing from others, slips are forgiven, and nobody
waits for long; whoever signed in before in the same browser does not wait for others at all."""
KNOWN_BROWSER = Pace(free=10, first_s=2.0, longest_s=900.0)
"""From a browser in which somebody signed in to that account before. It is counted by itself, so
that nobody who guesses elsewhere slows down its owner."""
Name = Annotated[str, Form(max_length=64)]
Password = Annotated[str, Form(max_length=256)]


def fold(name: str) -> str:
    """As one who guesses could write the same name."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def router(
    *,
    accounts: Accounts,
    sessions: Sessions,
    audit_log: AuditLog,
    guesses: Guesses,
    hashing: BoundedQueue,
    browsers: KnownBrowsers,
    secure_cookies: bool,
    draw_form: Callable[..., Any],
) -> APIRouter:
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @pages.post("/sign-in")
    async def sign_in(
        request: Request, name: Name, password: Password, next: Annotated[str, Form()] = "/"
    ) -> Any:
        """Counts first, then hashes in turn, and holds no thread while it waits."""
        place, key = network(request), fold(name)
        browser = browsers.browser_id(request.cookies.get(BROWSER), key)
        own = (
            [(KNOWN_BROWSER, ("browser", browser, key))]
            if browser
            else [(NAME_HERE, ("here", key, place)), (NAME_ANYWHERE, ("name", key))]
        )
        others = [] if browser else [(NETWORK, ("network", place))]
        wait = guesses.wait(*own, *others)
        if wait:
            return _wait_page(request, next, wait)
        try:
            account = await hashing.run(browser or place, accounts.verify, name, password)
        except QueueFull:
            guesses.take_back(*(key for _, key in own + others))
            return _wait_page(request, next, 5.0)
        if account is None:
            about = f"'{name}'"
            await run_in_threadpool(
                audit_log.count_denial, address(request), "sign-in refused", about
            )
            return draw_form(request, "wrong", next, 403)
        guesses.right(*(key for _, key in own))
        guesses.take_back(*(key for _, key in others))
        return await run_in_threadpool(_signed_in, request, account, next, key)

    def _wait_page(request: Request, next: str, seconds: float) -> Any:
        page = draw_form(request, "often", next, 429)
        page.headers["retry-after"] = str(math.ceil(seconds))
        return page

    def _signed_in(request: Request, account: Account, next: str, key: str) -> Any:
        old = request.session.get(COOKIE)
        if old:
            sessions.end(old)
        request.session.clear()
        request.session[COOKIE] = sessions.begin(account)
        audit_log.add(account.name, "sign-in", f"from {address(request)}")
        answer = back_to(next)
        answer.set_cookie(
            BROWSER,
            browsers.mark(key),
            max_age=LASTS_S,
            httponly=True,
            samesite="lax",
            secure=secure_cookies,
        )
        return answer

    return pages
