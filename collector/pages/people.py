"""One's own account, and the administrator's list of accounts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from collector.access.accounts import ROLES, Accounts, read_room
from collector.access.audit import AuditLog
from collector.access.guard import COOKIE, SignedIn, too_often
from collector.access.limits import Limits
from collector.access.sessions import SCOPES, Sessions
from collector.pages.flash import leave, take
from collector.pages.password_sign_in import Name, Password
from collector.pages.question import Confirm, ask
from collector.pages.redirects import back_to
from collector.pages.render import Renderer, language_of
from collector.pages.words import words
from edge.common.errors import UserError

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
"""Of a row: what no database has is no server's fault."""

DAY_S = 86_400
PASSWORDS_A_MINUTE = 5
"""Of one account: whoever has its session does not have its password."""


def own_router(
    *,
    accounts: Accounts,
    sessions: Sessions,
    audit_log: AuditLog,
    limits: Limits,
    renderer: Renderer,
) -> APIRouter:
    """The account of whoever is signed in."""
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @pages.get("/account")
    def account(request: Request, who: SignedIn) -> Any:
        return _account(request, who, new_token=take(request, "token") or "")

    def _account(
        request: Request, who: SignedIn, status: int = 200, wrong: str = "", new_token: str = ""
    ) -> Any:
        assert who.account is not None  # the policy lets nobody else in
        own = accounts.by_id(who.account)
        context = {
            "account": own,
            "rooms": ", ".join(f"{site}/{room}" for site, room in sorted(own.rooms)),
            "tokens": sessions.tokens(own.id),
            "scopes": SCOPES,
            "wrong": wrong,
            "new_token": new_token,
        }
        return renderer.page(request, "account.html", status, **context)

    @pages.post("/account/password")
    def password(request: Request, who: SignedIn, old: Password, new: Password) -> Any:
        if not limits.hit(PASSWORDS_A_MINUTE, "password", str(who.account)):
            raise too_often()
        own = accounts.verify(who.name, old)
        if own is None:
            return _account(request, who, 403, words(language_of(request))["sign_in"]["wrong"])
        try:
            accounts.change(own, password=new)
        except UserError as refusal:
            return _account(request, who, 422, str(refusal))
        audit_log.add(who.log_name, "password changed", who.name)
        return RedirectResponse("/sign-in", 303)

    @pages.post("/account/tokens")
    def make_token(
        request: Request,
        who: SignedIn,
        name: Name,
        days: Annotated[int, Form(ge=1, le=365)],
        scope: Annotated[list[str] | None, Form()] = None,
    ) -> Any:
        assert who.account is not None  # the policy lets nobody else in
        if who.scopes is not None and not {*(scope or [])} <= {*who.scopes}:
            raise HTTPException(403)  # a token gives no more than it has
        try:
            secret = sessions.make_token(who.account, name, scope or [], days * DAY_S)
        except UserError as refusal:
            return _account(request, who, 422, str(refusal))
        audit_log.add(who.log_name, "token made", f"{name}: {' '.join(scope or [])}")
        leave(request, "token", secret)
        return back_to("/account")

    @pages.post("/account/tokens/{token}/revoke")
    def revoke(request: Request, who: SignedIn, token: Number, confirm: Confirm = "") -> Any:
        assert who.account is not None  # the policy lets nobody else in
        if not confirm:
            names = {one.id: one.name for one in sessions.tokens(who.account)}
            if token not in names:
                raise HTTPException(404)
            return ask(renderer, request, "token", names[token], back="/account")
        sessions.revoke(who.account, token)
        audit_log.add(who.log_name, "token revoked", str(token))
        return back_to("/account")

    return pages


def router(
    *,
    accounts: Accounts,
    sessions: Sessions,
    audit_log: AuditLog,
    renderer: Renderer,
) -> APIRouter:
    """All accounts."""
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @pages.get("/accounts")
    def accounts_page(request: Request) -> Any:
        return _accounts(request)

    def _accounts(request: Request, status: int = 200, wrong: str = "") -> Any:
        everyone = accounts.all()
        context = {"accounts": everyone, "roles": ROLES, "wrong": wrong}
        return renderer.page(request, "accounts.html", status, **context)

    @pages.post("/accounts")
    def add(
        request: Request,
        who: SignedIn,
        name: Name,
        role: Annotated[str, Form()],
        rooms: Annotated[str, Form(max_length=4000)] = "",
        password: Password = "",
        first: Annotated[str, Form()] = "",
    ) -> Any:
        try:
            own = [read_room(room) for room in rooms.replace(",", " ").split()]
            account = accounts.add(name, role, own, password or None)
        except UserError as refusal:
            return _accounts(request, 422, str(refusal))
        audit_log.add(who.log_name, "account made", f"{account.name}, {account.role}")
        if not first:
            return back_to("/accounts")
        # The link of the first run has served: from here on one signs in with the account.
        request.session[COOKIE] = sessions.begin(account)
        sessions.end_links("administrator")
        return back_to("/first-run")

    @pages.post("/accounts/{account}")
    def change(
        request: Request,
        who: SignedIn,
        account: Number,
        role: Annotated[str, Form()],
        rooms: Annotated[str, Form(max_length=4000)] = "",
        password: Password = "",
        timetable: Annotated[str, Form(max_length=64)] = "",
        confirm: Confirm = "",
    ) -> Any:
        person = _account(account)
        try:
            own = [read_room(room) for room in rooms.replace(",", " ").split()]
            loses = role != person.role or not person.rooms <= set(own)
            if (password or loses) and not confirm:
                question = "password" if password else "rights"
                fields = {"role": role, "rooms": rooms, "timetable": timetable}
                fields |= {"password": password} if password else {}
                back = "/accounts"
                return ask(renderer, request, question, person.name, back=back, fields=fields)
            accounts.change(person, role=role, rooms=own, password=password or None)
            if not person.local:
                accounts.call(person, timetable.strip())
        except UserError as refusal:
            return _accounts(request, 422, str(refusal))
        audit_log.add(who.log_name, "account changed", f"{person.name}, {role}")
        return back_to("/accounts")

    @pages.post("/accounts/{account}/remove")
    def remove(request: Request, who: SignedIn, account: Number, confirm: Confirm = "") -> Any:
        person = _account(account)
        if not confirm:
            return ask(renderer, request, "account", person.name, back="/accounts")
        try:
            accounts.remove(person)
        except UserError as refusal:
            return _accounts(request, 409, str(refusal))
        audit_log.add(who.log_name, "account removed", person.name)
        return back_to("/accounts")

    def _account(account: int) -> Any:
        try:
            return accounts.by_id(account)
        except UserError:
            raise HTTPException(404) from None

    return pages
