"""What devices ask over HTTPS: no session, no token; a code or a signature proves each."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from collector.access.guard import address, too_often
from collector.desk import Desk
from collector.fleet.enrolment import Denied
from collector.fleet.office import Office
from edge.device import wire

NONCES_A_MINUTE = 6000
"""From one address: every device of a school may sit behind one router."""


def router(desk: Desk) -> APIRouter:
    routes = APIRouter(prefix="/device", include_in_schema=False)

    def office() -> Office:
        if desk.office is None:
            raise HTTPException(404, "this collector has no site: see docs/fleet.md")
        return desk.office

    def told(answer: Any, *given: Any) -> Any:
        try:
            return answer(*given)
        except Denied as denied:
            raise HTTPException(429 if denied.often else 403, str(denied)) from None

    @routes.post("/hello")
    def hello(request: Request, message: wire.Hello) -> wire.Welcome:
        made: wire.Welcome = told(office().enrolment.hello, message, address(request))
        return made

    @routes.post("/requests")
    def ask(request: Request, message: wire.Request) -> wire.Standing:
        made: wire.Standing = told(office().enrolment.request, message, address(request))
        return made

    @routes.post("/requests/standing")
    def standing(request: Request, message: wire.Asked) -> wire.Standing:
        made: wire.Standing = told(office().enrolment.standing, message, address(request))
        return made

    @routes.post("/nonce")
    def nonce(request: Request) -> wire.Challenge:
        if not desk.limits.hit(NONCES_A_MINUTE, "nonce", address(request)):
            raise too_often()
        return wire.Challenge(nonce=office().nonces.new())

    @routes.post("/renew")
    def renew(request: Request, message: wire.Signed) -> wire.Renewed:
        made: wire.Renewed = told(office().renew, message, address(request))
        return made

    @routes.post("/report")
    def report(request: Request, message: wire.Signed) -> wire.Orders:
        made: wire.Orders = told(office().report, message, address(request))
        return made

    @routes.post("/bundle")
    def bundle(request: Request, message: wire.Signed) -> Response:
        content: bytes = told(office().bundle, message, address(request))
        return Response(content, media_type="application/octet-stream")

    return routes
