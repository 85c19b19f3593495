"""Wires the fleet: authority, register, enrolment, updates, revocation. One per collector."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy import Engine

from collector.access.accounts import Room
from collector.access.audit import AuditLog
from collector.access.limits import Limits
from collector.config import FleetSettings
from collector.fleet.authority import pem
from collector.fleet.broker_log import BrokerLog
from collector.fleet.clones import CloneDetector
from collector.fleet.enrolment import EnrolmentDenied, EnrolmentService, Terms
from collector.fleet.files import SiteFiles
from collector.fleet.invitations import Invitations
from collector.fleet.proofs import Nonces, Proofs
from collector.fleet.registry import Certificate, DeviceRegistry
from collector.fleet.revocation import RevocationWorker
from collector.fleet.update_catalog import Stage, UpdateCatalog
from edge.common.broker import BrokerSettings
from edge.common.errors import UserError
from edge.common.worker import Worker
from edge.protocol import device_api
from edge.protocol.attestation import public_key
from edge.protocol.code import Code
from edge.protocol.messages import Status

log = logging.getLogger(__name__)


class FleetService:
    """What pages, commands and devices ask; `workers` are for the collector to start and stop."""

    def __init__(
        self,
        settings: FleetSettings,
        engine: Engine,
        audit: AuditLog,
        limits: Limits,
        broker: BrokerSettings,
        on_renewed: Callable[[], None] = lambda: None,
    ) -> None:
        self.files = SiteFiles(settings.folder)
        self._authority = self.files.load()
        self._days = settings.certificate_days
        self._audit = audit
        self.site = settings.site
        self.site_key = public_key(self.files.site_key)
        self.registry, self.invitations = DeviceRegistry(engine), Invitations(engine)
        self.catalog = UpdateCatalog(engine)
        terms = Terms(
            device_api.BrokerAddress(host=settings.broker_host, port=settings.broker_port),
            self.files.site_key.read_text(encoding="ascii"),
            self._days,
        )
        self.enrolment = EnrolmentService(
            self._authority, self.invitations, self.registry, audit, limits, terms
        )
        self.nonces = Nonces()
        self._proofs = Proofs(self.registry, audit, self.nonces)
        self._clones = CloneDetector()
        self.workers: list[Worker] = [
            RevocationWorker(self.files, self._authority, self.registry, broker, on_renewed)
        ]
        if settings.broker_log is not None:
            self.workers.append(BrokerLog(settings.broker_log, audit))

    def renew(self, message: device_api.SignedMessage, address: str) -> device_api.RenewalReply:
        """Another certificate for a device that holds a valid one."""
        renewal, certificate = self._proofs.check(message, "renew", device_api.Renewal, address)
        new_certificate = self._authority.sign_device(renewal.csr, certificate.room[1], self._days)
        self._activate(certificate)
        self.registry.record(certificate.room, new_certificate)
        self._audit.add(address, "certificate renewed", "/".join(certificate.room))
        return device_api.RenewalReply(certificate=pem(new_certificate))

    def report(self, message: device_api.SignedMessage, address: str) -> device_api.ReportReply:
        """How a device stands, and what it is to do."""
        report, certificate = self._proofs.check(
            message, "report", device_api.DeviceReport, address
        )
        devices = {one.room: one for one in self.registry.all()}
        device = devices.get(certificate.room)
        if device is None:
            raise UserError(
                "no device is enrolled there",
                "/".join(certificate.room),
                "see `roommood device list`",
            )
        if device.hardware and report.hardware and device.hardware != report.hardware:
            copy_error = EnrolmentDenied(
                "speaks from another machine than the one that was enrolled",
                "/".join(certificate.room),
                "revoke it, and enrol this device with a new code",
            )
            self._audit.add_view(address, "copy refused", f"{copy_error.where}: {copy_error.what}")
            raise copy_error
        self._activate(certificate)
        hardware = device.hardware or report.hardware
        self.registry.record_report(certificate.room, hardware, report.model_dump(mode="json"))
        site = certificate.room[0]
        in_use = {one[1]: devices[one].report.get("bundle") for one in devices if one[0] == site}
        in_use[certificate.room[1]] = report.bundle
        transition = self.catalog.apply_report(certificate.room, report, in_use)
        if transition is not None:
            update, stage = transition
            about = f"{update.number}, after {'/'.join(certificate.room)}: {stage}"
            self._audit.add("a canary room", "update moved", about)
        return device_api.ReportReply(offer=self.catalog.for_device(certificate.room, report))

    def bundle(self, message: device_api.SignedMessage, address: str) -> bytes:
        request, certificate = self._proofs.check(
            message, "bundle", device_api.BundleRequest, address
        )
        content = self.catalog.content(request.sha256)
        if content is None:
            raise EnrolmentDenied(
                "no such update", "/".join(certificate.room), "see `roommood device updates`"
            )
        return content

    def update_status(self, status: Status) -> None:
        """A status came over the broker."""
        if self._clones.update_status(status):
            room = (status.site, status.room)
            self._audit.add("the collector", "copy found", f"{status.site}/{status.room}")
            self.revoke(room, "the collector", "two machines spoke for the room")

    def revoke(self, room: Room, who: str, because: str) -> int:
        """Takes a room's certificates back; raises UserError where it has none."""
        count = self.registry.revoke(room, because)
        self._clones.forget(room)
        if not count:
            raise UserError(
                "no device there has a certificate", "/".join(room), "see `roommood device list`"
            )
        self._audit.add(who, "device revoked", f"{'/'.join(room)}: {because}")
        return count

    def invite(self, room: Room, who: str, seconds: float) -> Code:
        """A code for a room's device."""
        code = self.invitations.invite(room, who, seconds)
        self._audit.add(who, "device invited", f"{'/'.join(room)}, for {seconds:.0f} s")
        return code

    def move(self, number: int, stage: Stage, who: str) -> None:
        self.catalog.set_stage(self.site, number, stage)
        self._audit.add(who, "update moved", f"{number}: {stage}")

    def upload(self, data: bytes, canaries: list[str], who: str) -> int:
        """Takes an update in; returns its number."""
        update = self.catalog.add(data, self.site_key, self.site, canaries)
        where = f"first {', '.join(canaries)}" if canaries else "everywhere at once"
        self._audit.add(who, "update uploaded", f"{update.number}: {where}")
        return update.number

    def _activate(self, certificate: Certificate) -> None:
        if self.registry.activate(certificate):
            self._audit.add("the collector", "certificate in use", "/".join(certificate.room))
