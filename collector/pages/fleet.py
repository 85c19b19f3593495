"""IT's page: devices and what is wrong with them, who waits for approval, codes, updates."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, HTTPException, Path, Request
from fastapi.responses import HTMLResponse

from collector.access.guard import SignedIn
from collector.api.routes import REFUSALS
from collector.app_context import Desk
from collector.fleet.diagnosis import DeviceOut
from collector.fleet.invitation_text import own_room, svg
from collector.fleet.listing import listed
from collector.fleet.service import Office
from collector.pages.redirects import back_to
from collector.pages.render import language_of, words
from edge.common.errors import Refusal

VALID_S = {"minutes": 900, "hours": 7200, "week": 7 * 86_400}
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


def router(desk: Desk) -> APIRouter:
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    def office() -> Office:
        if desk.office is None:
            raise HTTPException(404)
        return desk.office

    def page(request: Request, status: int = 200, **more: Any) -> Any:
        context: dict[str, Any] = {
            "site": desk.office.site if desk.office else None,
            "rows": listed(desk.office.register, desk.rooms) if desk.office else [],
            "waiting": desk.office.invitations.waiting() if desk.office else [],
            "updates": desk.office.offers.all() if desk.office else [],
            "valid": VALID_S,
            "wrong": "",
            "code": None,
        }
        return desk.renderer.page(request, "devices.html", status, **(context | more))

    @pages.get("/devices")
    def devices(request: Request) -> Any:
        return page(request)

    @pages.post("/devices/invite")
    def invite(
        request: Request,
        who: SignedIn,
        room: Annotated[str, Form(max_length=65)],
        valid: Annotated[Literal["minutes", "hours", "week"], Form()] = "minutes",
    ) -> Any:
        try:
            place = own_room(room, office().site)
        except Refusal as refusal:
            return page(request, 422, wrong=str(refusal))
        code = str(office().invite(place, who.said, VALID_S[valid]))
        url = desk.url()
        told = {"room": "/".join(place), "text": code, "url": url, "svg": svg(url, code)}
        told["scan"] = words(language_of(request))["fleet"]["scan"]
        return page(request, code=told)

    @pages.post("/devices/requests/{number}/{decision}")
    def decide(
        request: Request, who: SignedIn, number: Number, decision: Literal["approve", "refuse"]
    ) -> Any:
        try:
            asked = office().invitations.by_id(number)
        except Refusal:
            raise HTTPException(404) from None
        if decision == "refuse":
            office().enrolment.refuse(asked, who.said)
        else:
            try:
                office().enrolment.approve(asked, who.said)
            except Refusal as refusal:
                return page(request, 409, wrong=str(refusal))
        return back_to("/devices")

    @pages.post("/devices/{site}/{room}/revoke")
    def revoke(request: Request, who: SignedIn, site: str, room: str) -> Any:
        try:
            office().revoke((site, room), who.said, "revoked by IT")
        except Refusal as refusal:
            return page(request, 409, wrong=str(refusal))
        return back_to("/devices")

    @pages.post("/updates/{number}/{stage}")
    def move(
        request: Request, who: SignedIn, number: Number, stage: Literal["everywhere", "withdrawn"]
    ) -> Any:
        try:
            office().move(number, stage, who.said)
        except Refusal as refusal:
            return page(request, 404, wrong=str(refusal))
        return back_to("/devices")

    return pages


def api(desk: Desk) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["devices"], responses=REFUSALS)

    @routes.get("/devices", summary="Every device, its certificate, and what is wrong with it.")
    def devices() -> list[DeviceOut]:
        return listed(desk.office.register, desk.rooms) if desk.office else []

    return routes
