"""IT's page: devices and what is wrong with them, who waits for approval, codes, updates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, HTTPException, Path, Request
from fastapi.responses import HTMLResponse

from collector.access.guard import SignedIn
from collector.fleet.invitation_text import own_room, svg
from collector.fleet.listing import listed
from collector.fleet.service import FleetService
from collector.live.rooms import Rooms
from collector.pages.flash import leave, take
from collector.pages.redirects import back_to
from collector.pages.render import Renderer, language_of, words
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

    def office() -> FleetService:
        if fleet is None:
            raise HTTPException(404)
        return fleet

    def page(request: Request, status: int = 200, **more: Any) -> Any:
        context: dict[str, Any] = {
            "site": fleet.site if fleet else None,
            "rows": listed(fleet.register, rooms) if fleet else [],
            "waiting": fleet.invitations.waiting() if fleet else [],
            "updates": fleet.offers.all() if fleet else [],
            "valid": VALID_S,
            "wrong": "",
            "code": None,
        }
        return renderer.page(request, "devices.html", status, **(context | more))

    @pages.get("/devices")
    def devices(request: Request) -> Any:
        return page(request, code=new_code(request))

    @pages.post("/devices/invite")
    def invite(
        request: Request,
        who: SignedIn,
        room: Annotated[str, Form(max_length=65)],
        valid: Annotated[Literal["minutes", "hours", "week"], Form()] = "minutes",
    ) -> Any:
        try:
            place = own_room(room, office().site)
        except UserError as error:
            return page(request, 422, wrong=str(error))
        code = str(office().invite(place, who.said, VALID_S[valid]))
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
        request: Request, who: SignedIn, number: Number, decision: Literal["approve", "refuse"]
    ) -> Any:
        try:
            device_request = office().invitations.by_id(number)
        except UserError:
            raise HTTPException(404) from None
        if decision == "refuse":
            office().enrolment.refuse(device_request, who.said)
        else:
            try:
                office().enrolment.approve(device_request, who.said)
            except UserError as error:
                return page(request, 409, wrong=str(error))
        return back_to("/devices")

    @pages.post("/devices/{site}/{room}/revoke")
    def revoke(request: Request, who: SignedIn, site: str, room: str) -> Any:
        try:
            office().revoke((site, room), who.said, "revoked by IT")
        except UserError as error:
            return page(request, 409, wrong=str(error))
        return back_to("/devices")

    @pages.post("/updates/{number}/{stage}")
    def move(
        request: Request, who: SignedIn, number: Number, stage: Literal["everywhere", "withdrawn"]
    ) -> Any:
        try:
            office().move(number, stage, who.said)
        except UserError as error:
            return page(request, 404, wrong=str(error))
        return back_to("/devices")

    return pages
