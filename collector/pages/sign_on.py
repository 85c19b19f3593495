"""The school's own sign-in: to the OpenID Connect provider and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from collector.access.accounts import Account
from collector.access.audit import AuditLog
from collector.access.guard import COOKIE, address
from collector.access.oidc import Provider, UnknownUser
from collector.access.sessions import Sessions
from collector.pages.flash import leave
from collector.pages.redirects import back_to, local

NEXT = "next"


def router(
    *,
    sessions: Sessions,
    audit_log: AuditLog,
    provider: Provider | None,
    own_url: Callable[[], str],
) -> APIRouter:
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @pages.get("/oidc")
    async def go(request: Request, next: str = "/") -> Any:
        if provider is None:
            raise HTTPException(404)
        request.session[NEXT] = local(next)
        try:
            return await provider.go(request, f"{own_url()}/oidc/back")
        except UnknownUser as unknown:
            return await run_in_threadpool(_failure_page, request, unknown)

    @pages.get("/oidc/back")
    async def back(request: Request) -> Any:
        if provider is None:
            raise HTTPException(404)
        try:
            account = await provider.back(request)
        except UnknownUser as unknown:
            return await run_in_threadpool(_failure_page, request, unknown)
        return await run_in_threadpool(_signed_in, request, provider, account)

    def _signed_in(request: Request, provider: Provider, account: Account) -> Any:
        to = request.session.get(NEXT, "/")
        old = request.session.get(COOKIE)
        if old:
            sessions.end(old)
        request.session.clear()
        request.session[COOKIE] = sessions.begin(account)
        audit_log.add(account.name, "sign-in", f"by {provider.name}, from {address(request)}")
        return back_to(to)

    def _failure_page(request: Request, unknown: UnknownUser) -> RedirectResponse:
        about = f"{unknown}, from {address(request)}"
        audit_log.count_denial("somebody", "sign-in refused", about)
        if unknown.provider_text:
            leave(request, "provider", unknown.provider_text)
        return RedirectResponse(f"/sign-in?wrong={unknown.kind}", 303)

    return pages
