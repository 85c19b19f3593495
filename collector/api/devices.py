"""The JSON API's devices."""

from __future__ import annotations

from fastapi import APIRouter

from collector.api.fields import REFUSALS
from collector.fleet.diagnosis import DeviceOut
from collector.fleet.listing import device_rows
from collector.fleet.service import FleetService
from collector.live.rooms import Rooms


def router(
    *,
    rooms: Rooms,
    fleet: FleetService | None,
) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["devices"], responses=REFUSALS)

    @routes.get("/devices", summary="Every device, its certificate, and what is wrong with it.")
    def devices() -> list[DeviceOut]:
        return device_rows(fleet.registry, rooms) if fleet else []

    return routes
