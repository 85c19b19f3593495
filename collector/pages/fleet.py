"""IT's page: devices and what is wrong with them, who waits for approval, codes, updates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse

from collector.access.guard import SignedIn
from collector.fleet.invitation_text import own_room, svg
from collector.fleet.listing import device_rows
from collector.fleet.overview import overview
from collector.fleet.service import FleetService
from collector.live.rooms import Rooms
from collector.pages.flash import leave, take
from collector.pages.question import Confirm, ask
from collector.pages.redirects import back_to
from collector.pages.render import Renderer, language_of
from collector.pages.words import words
from edge.common.errors import UserError

VALID_S = {"minutes": 900, "hours": 7200, "week": 7 * 86_400}
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


def router(
    *,
    rooms: Rooms,
    renderer: Renderer,
    own_url: Callable[[], str],
    fleet: FleetService | None,
) -> APIRouter:
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    def service() -> FleetService:
        if fleet is None:
            raise HTTPException(404)
        return fleet

    def check_room(site: str, room: str) -> None:
        """Raises HTTPException 404 for a room that no device was enrolled for."""
        if (site, room) not in {device.room for device in service().registry.all()}:
            raise HTTPException(404)

    def page(
        request: Request,
        status: int = 200,
        text: str = "",
        cause: str = "",
        number: int = 1,
        **more: Any,
    ) -> Any:
        rows = device_rows(fleet.registry, rooms) if fleet else []
        context: dict[str, Any] = {
            "site": fleet.site if fleet else None,
            "enrolled": len(rows),
            "view": overview(rows, text=text, cause=cause, page=number, title=renderer.room_title),
            "text": text,
            "cause": cause,
            "told": take(request, "told"),
            "waiting": fleet.invitations.pending() if fleet else [],
            "updates": fleet.catalog.all() if fleet else [],
            "valid": VALID_S,
            "wrong": "",
            "code": None,
        }
        return renderer.page(request, "devices.html", status, **(context | more))

    @pages.get("/devices")
    def devices(
        request: Request,
        text: Annotated[str, Query(max_length=80)] = "",
        cause: Annotated[str, Query(max_length=32)] = "",
        number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
    ) -> Any:
        return page(request, text=text, cause=cause, number=number, code=new_code(request))

    @pages.post("/devices/invite")
    def invite(
        request: Request,
        who: SignedIn,
        room: Annotated[str, Form(max_length=65)],
        valid: Annotated[Literal["minutes", "hours", "week"], Form()] = "minutes",
    ) -> Any:
        try:
            place = own_room(room, service().site)
        except UserError as error:
            return page(request, 422, wrong=str(error))
        code = str(service().invite(place, who.log_name, VALID_S[valid]))
        leave(request, "code", f"{'/'.join(place)} {code}")
        return back_to("/devices")

    def new_code(request: Request) -> dict[str, str] | None:
        """The one that was made by the form that led here."""
        room, _, code = (take(request, "code") or "").rpartition(" ")
        if not code:
            return None
        url, scan = own_url(), words(language_of(request))["fleet"]["scan"]
        return {"room": room, "text": code, "url": url, "svg": svg(url, code), "scan": scan}

    @pages.post("/devices/requests/{number}/{decision}")
    def decide(
        request: Request,
        who: SignedIn,
        number: Number,
        decision: Literal["approve", "refuse"],
        confirm: Confirm = "",
    ) -> Any:
        try:
            device_request = service().invitations.by_id(number)
        except UserError:
            raise HTTPException(404) from None
        if decision == "refuse" and not confirm:
            return ask(renderer, request, "refuse", device_request.room[1], back="/devices")
        if decision == "refuse":
            service().enrolment.refuse(device_request, who.log_name)
        else:
            try:
                service().enrolment.approve(device_request, who.log_name)
            except UserError as error:
                return page(request, 409, wrong=str(error))
        return back_to("/devices")

    @pages.post("/devices/{site}/{room}/revoke")
    def revoke(request: Request, who: SignedIn, site: str, room: str, confirm: Confirm = "") -> Any:
        if not confirm:
            check_room(site, room)
            return ask(renderer, request, "revoke", f"{site}/{room}", back="/devices")
        try:
            service().revoke((site, room), who.log_name, "revoked by IT")
        except UserError as error:
            return page(request, 409, wrong=str(error))
        return back_to("/devices")

    @pages.post("/updates/{number}/{stage}")
    def move(
        request: Request,
        who: SignedIn,
        number: Number,
        stage: Literal["everywhere", "withdrawn"],
        confirm: Confirm = "",
    ) -> Any:
        if not confirm:
            if number not in {update.number for update in service().catalog.all()}:
                raise HTTPException(404)
            return ask(renderer, request, stage, str(number), back="/devices")
        try:
            service().move(number, stage, who.log_name)
        except UserError as error:
            return page(request, 404, wrong=str(error))
        return back_to("/devices")

    return pages
