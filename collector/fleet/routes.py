"""What devices ask over HTTPS: no session, no token; a code or a signature proves each."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response

from collector.access.guard import address, network, too_often
from collector.access.limits import Limits
from collector.fleet.service import FleetService
from edge.protocol import device_api

NONCES_A_MINUTE = 6000
"""From one address: every device of a school may sit behind one router."""


def router(
    *,
    limits: Limits,
    fleet: FleetService | None,
) -> APIRouter:
    routes = APIRouter(prefix="/device", include_in_schema=False)

    def service() -> FleetService:
        if fleet is None:
            raise HTTPException(404, "this collector has no site: see docs/fleet.md")
        return fleet

    @routes.post("/hello")
    def hello(request: Request, message: device_api.Hello) -> device_api.Welcome:
        return service().enrolment.hello(message, address(request))

    @routes.post("/requests")
    def ask(request: Request, message: device_api.EnrolmentRequest) -> device_api.RequestStatus:
        return service().enrolment.request(message, address(request))

    @routes.post("/requests/standing")
    def status(request: Request, message: device_api.StatusQuery) -> device_api.RequestStatus:
        return service().enrolment.status(message, address(request))

    @routes.post("/nonce")
    def nonce(request: Request) -> device_api.Challenge:
        if not limits.hit(NONCES_A_MINUTE, "nonce", network(request)):
            raise too_often()
        return device_api.Challenge(nonce=service().nonces.new())

    @routes.post("/renew")
    def renew(request: Request, message: device_api.SignedMessage) -> device_api.RenewalReply:
        return service().renew(message, address(request))

    @routes.post("/report")
    def report(request: Request, message: device_api.SignedMessage) -> device_api.ReportReply:
        return service().report(message, address(request))

    @routes.post("/bundle")
    def bundle(request: Request, message: device_api.SignedMessage) -> Response:
        content: bytes = service().bundle(message, address(request))
        return Response(content, media_type="application/octet-stream")

    return routes
