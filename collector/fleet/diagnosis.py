"""Why something is wrong with a device, and what to do: for IT's page and for scripts.

The words are in `words/*.yaml`, below `fleet`; here is what is looked at, in the order in which one
fault hides another.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from collector.fleet.registry import Device
from collector.live.rooms import RoomView
from edge.protocol.device_api import FAILURES, update_failure
from edge.protocol.messages import Fitting, Health, Pause, rfc3339, rfc3339_of

DAY_S = 86_400
RENEWAL_LATE_DAYS = 20
"""A certificate of ninety days is renewed when thirty are left."""
HOT_C = 80.0
MANY_WAIT = 20
WRONG_CLOCK_S = 120
"""By which a device's clock may differ from this machine's; its lessons are off by as much."""
SILENT_S = 86_400 * 2
"""A device that reports by timer, and did not for so long."""


class DeviceOut(BaseModel):
    """One device, as `roommood device list --json` and the API tell it."""

    site: str
    room: str
    state: str
    """live, withheld, paused, waiting, offline, or revoked."""
    fault: str | None
    """A short name; null where nothing is wrong."""
    about: str
    """A detail of the fault, such as a number; may be empty."""
    version: str | None
    model: str | None
    mode: str | None
    update: int | None
    update_refused: int | None
    certificate_ends: str | None
    certificate_days: int | None
    temperature_c: float | None
    frames_per_s: float | None
    waiting: int | None
    memory_mb: float | None
    detector: str | None
    fitted: tuple[Fitting, ...] | None
    """What the people in the room can switch it off with, and see it by; null: not known."""
    pause: Pause | None
    """Who keeps its camera closed; null: nobody, or not known."""
    last_window: str | None
    reported: str | None


def row(device: Device, view: RoomView, newest_version: str) -> DeviceOut:
    """One device now."""
    health = view.status.health if view.status else None
    certificate = device.certificate
    left = None if certificate is None else int((certificate.expires - time.time()) // DAY_S)
    fault, about = next(faults(device, view, newest_version), (None, ""))
    is_revoked = certificate is not None and certificate.has_ended
    report = device.report
    return DeviceOut(
        site=device.room[0],
        room=device.room[1],
        state="revoked" if is_revoked else view.state,
        fault=fault,
        about=about,
        version=health.version if health else report.get("version"),
        model=health.model if health else None,
        mode=health.mode if health else None,
        update=report.get("bundle"),
        update_refused=report.get("refused"),
        certificate_ends=None if certificate is None else rfc3339_of(certificate.expires),
        certificate_days=left,
        temperature_c=health.temperature_c if health else None,
        frames_per_s=health.frames_per_s if health else None,
        waiting=health.waiting if health else None,
        memory_mb=health.memory_mb if health else None,
        detector=health.detector if health else None,
        fitted=health.fitted if health else None,
        pause=health.pause if health else None,
        last_window=None if view.mood is None else rfc3339(view.mood.start),
        reported=None if device.seen_at is None else rfc3339_of(device.seen_at),
    )


def faults(device: Device, view: RoomView, newest_version: str) -> Iterator[tuple[str, str]]:
    """Every fault there is, by its short name and with a detail; the first is the one to mend."""
    certificate, now = device.certificate, time.time()
    health = view.status.health if view.status else None
    if certificate is not None and certificate.has_ended:
        yield "revoked", certificate.because or ""
    if certificate is not None and certificate.expires < now:
        yield "certificate_ended", ""
    if view.status is None and view.mood is None:
        yield "never_heard", ""
    if view.state == "offline":
        yield "offline", ""
    lead_s = view.clock_lead_s or 0.0
    if abs(lead_s) > WRONG_CLOCK_S or view.losses:
        detail = f"; {view.losses} windows taken for erased" if view.losses else ""
        yield "clock", f"{lead_s / 60:+.0f} min{detail}"
    if health is not None:
        yield from _of_health(health)
    if certificate is not None and certificate.expires - now < RENEWAL_LATE_DAYS * DAY_S:
        yield "not_renewed", str(int((certificate.expires - now) // DAY_S))
    if device.seen_at is not None and now - device.seen_at > SILENT_S:
        yield "no_report", ""
    report: dict[str, Any] = device.report
    if report.get("refused") and report["refused"] > (report.get("bundle") or 0):
        word = update_failure(str(report.get("because", "")))  # an older device's is a sentence
        yield "update_refused", f"{report['refused']}: {FAILURES[word]}"
    if health is not None and health.version != newest_version:
        yield "other_version", health.version


def _of_health(health: Health) -> Iterator[tuple[str, str]]:
    if health.disk != "ok":
        yield "disk", ""
    if health.pause is None and not health.frames_per_s and health.uptime_s > 60:
        yield "no_camera", ""
    if health.waiting > MANY_WAIT:
        yield "waiting", str(health.waiting)
    if health.temperature_c is not None and health.temperature_c >= HOT_C:
        yield "hot", f"{health.temperature_c} °C"
    if health.throttled:
        yield "hot", ", ".join(health.throttled)
    if health.pause in ("clock", "unreadable"):
        yield f"pause_{health.pause}", ""
    if health.because not in ("attested", "exempt_source", "exempt_demo", "set"):
        yield "headcount", health.because
