"""An enrolled device's sync with its collector: renew, report, fetch what is offered.

Run by a timer. Every message is signed with the device's key over a number that the collector gives
out once.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from edge.common.child import python_command
from edge.common.errors import UserError
from edge.device.enrol import SITE_KEY, EnrolmentRecord, about
from edge.device.hardware import hardware
from edge.device.https import Caller, CollectorUnreachable, strict_context
from edge.device.slots import Updates
from edge.protocol.attestation import public_key
from edge.protocol.bundle import PACK, Bundle, unpack, write_out
from edge.protocol.device_api import (
    AvailableUpdate,
    BundleRequest,
    Challenge,
    DeviceMessage,
    DeviceReport,
    Purpose,
    Renewal,
    RenewalReply,
    ReportReply,
    SignedMessage,
    update_failure,
)
from edge.protocol.identity import Identity, install, new_key, private_pem, request

log = logging.getLogger(__name__)

TRIAL_S = 60
"""For loading a model and one answer, on the slowest machine there is."""

W = TypeVar("W", bound=DeviceMessage)


class Empty(DeviceMessage):
    """Nothing to say."""


class DeviceSync:
    """Raises UserError where the device is not enrolled, or not this machine."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._about: EnrolmentRecord = about(state)
        self._identity = Identity(state)
        self._updates = Updates(state)
        self._caller = Caller(self._about.collector, strict_context(self._identity.authority))

    def run(self) -> list[str]:
        """What was done, a sentence each; raises UserError where the collector says no."""
        actions = []
        if self._identity.is_due():
            self.renew()
            until = self._identity.certificate.not_valid_after_utc
            actions.append(f"certificate renewed, until {until:%Y-%m-%d}")
        offer = self.report().offer
        if offer is not None:
            actions.append(self._take(offer))
            self.report()  # so that IT sees at once what became of it
        return actions

    def renew(self) -> None:
        """A new key and certificate; the old one ends once the new one has been used."""
        key = new_key()
        csr = request(key, self._identity.name)
        reply = self._ask("renew", Renewal(csr=csr), RenewalReply)
        authority = self._identity.authority.read_text(encoding="ascii")
        self._identity = install(self._state, private_pem(key), reply.certificate, authority)

    def report(self) -> ReportReply:
        """How this device is, and what the collector has for it; UserError is its verdict."""
        slots = self._updates.update_state()
        report = DeviceReport(
            version=version("roommood"),
            hardware=hardware(),
            bundle=slots.current,
            trying=slots.trying,
            refused=slots.refused,
            because=update_failure(slots.because),
        )
        return self._ask("report", report, ReportReply)

    def _take(self, offer: AvailableUpdate) -> str:
        refusal = self._updates.refusal(offer.number)
        if refusal is None:
            try:
                data = self._caller.fetch(
                    "/device/bundle", self._sign("bundle", BundleRequest(sha256=offer.sha256))
                )
                if hashlib.sha256(data).hexdigest() != offer.sha256:
                    raise CollectorUnreachable(
                        "damaged in transit", "update", "nothing to do: it is downloaded again"
                    )
                bundle = unpack(data, public_key(self._state / SITE_KEY), self._about.site)
                if bundle.manifest.number != offer.number:
                    raise UserError(
                        "its number is not the one that was offered", "update", "sign it again"
                    )
                _try_pack(bundle)
                self._updates.stage(bundle)
                return f"update {offer.number}: to be tried at the next window"
            except CollectorUnreachable:
                raise
            except UserError as wrong:
                refusal = str(wrong)
        self._updates.refuse(offer.number, refusal)
        return f"update {offer.number}: refused: {refusal}"

    def _ask(self, purpose: Purpose, message: DeviceMessage, kind: type[W]) -> W:
        return self._caller.ask(f"/device/{purpose}", self._sign(purpose, message), kind)

    def _sign(self, purpose: Purpose, message: DeviceMessage) -> SignedMessage:
        nonce = self._caller.ask("/device/nonce", Empty(), Challenge).nonce
        body = message.model_dump_json()
        fields = {"serial": self._identity.serial, "nonce": nonce, "purpose": purpose, "body": body}
        draft = SignedMessage.model_validate({**fields, "signature": ""})
        signature = self._identity.key.sign(draft.signed_bytes(), ec.ECDSA(hashes.SHA256()))
        return draft.model_copy(update={"signature": base64.b64encode(signature).decode()})


def _try_pack(bundle: Bundle) -> None:
    """Runs the model once, in a process of its own: one that crashes takes nothing with it."""
    pack = {name: content for name, content in bundle.files.items() if name.startswith(PACK)}
    if not pack:
        return
    with tempfile.TemporaryDirectory() as folder:
        write_out(Bundle(bundle.manifest, pack), Path(folder))
        command = python_command("edge.commands.try_pack", str(Path(folder) / PACK))
        try:
            process = subprocess.run(command, capture_output=True, timeout=TRIAL_S, check=False)
        except subprocess.TimeoutExpired:
            raise UserError(
                "its model gives no answer",
                "update",
                "sign one with a model that `roommood model verify` accepts",
            ) from None
    if process.returncode:
        lines = process.stderr.decode(errors="replace").strip().splitlines()
        why = lines[-1] if lines and process.returncode > 0 else f"ended with {process.returncode}"
        raise UserError(
            f"its model cannot be run ({why[:120]})",
            "update",
            "sign one with a model that `roommood model verify` accepts",
        )
