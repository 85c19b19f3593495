"""`roommood device`: on a device, enrol and sync; beside the collector, invite to revoke."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import click

from edge.common.command import json_lines
from edge.common.command_group import CommandGroup
from edge.common.errors import UserError
from edge.common.privileges import become_owner
from edge.common.say import say, say_json, say_lines

if TYPE_CHECKING:
    from collector.config import CollectorSettings
    from collector.fleet.service import FleetService
    from collector.storage.store import Store

BY = "the command line"
STATE = Path("/var/lib/roommood-agent")
DURATION = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

path_option = click.Path(path_type=Path)
state_option = click.option(
    "--state", default=STATE, show_default=True, type=path_option, help="The agent's state folder."
)
config_option = click.option(
    "--config",
    default=Path("/etc/roommood/collector.yaml"),
    show_default=True,
    type=path_option,
    help="The collector's settings file.",
)


@click.group(cls=CommandGroup)
def device() -> None:
    """The devices of the site: enrolment, certificates, updates."""


@device.command()
@click.argument("collector", required=False)
@click.option(
    "--code",
    help="One-time code, as printed by `roommood device invite`. Without it the command asks, so "
    "that nobody on this machine reads it in the list of processes.",
)
@click.option("--from", "file", type=path_option, help="File that contains 'collector' and 'code'.")
@click.option("--camera", help="Read both from a QR code held up to this camera.")
@click.option(
    "--wait",
    default="1h",
    show_default=True,
    help="How long to wait for approval: 30s, 10m, 1h, 14d.",
)
@state_option
def enrol(
    collector: str | None,
    code: str | None,
    file: Path | None,
    camera: str | None,
    wait: str,
    state: Path,
) -> None:
    """On a device: make a key, request a certificate, wait until IT approves it."""
    from edge.common.settings import load
    from edge.device.addresses import forgetter
    from edge.device.enrol import DeviceEnrolment, InvitationFile
    from edge.protocol.code import Code

    if file is not None:
        invitation = load(InvitationFile, file, "--from")
        collector, code = invitation.collector, invitation.code
    if camera is not None:
        from edge.commands.qr import seen_by

        collector, code = seen_by(camera, lambda line: say(line, err=True))
    if collector is None:
        raise click.UsageError("add the collector's address, or use --from or --camera.")
    if code is None:
        code = click.prompt("Code", err=True)
    forget_hosts = forgetter(state)
    become_owner(state)
    try:
        state.mkdir(parents=True, exist_ok=True)
        identity = DeviceEnrolment(collector, Code(code), state).run(say, seconds(wait))
    except OSError as error:
        raise UserError(str(error.strerror), error.filename, "choose another --state") from None
    forget_hosts()
    until = identity.certificate.not_valid_after_utc
    say(f"enrolled as {identity.name}; certificate until {until:%Y-%m-%d}, renewed automatically")


@device.command()
@state_option
@click.option("--renew", is_flag=True, help="Renew the certificate even if it is not due.")
def sync(state: Path, renew: bool) -> None:
    """On a device: renew what is due, report, fetch what is offered. Run by a timer."""
    from edge.device.sync import DeviceSync

    become_owner(state)
    sync = DeviceSync(state)
    if renew:
        sync.renew()
        say("certificate renewed")
    for line in sync.run():
        say(line)


@device.command("trust-key")
@click.argument("file", type=path_option)
@state_option
def trust_key(file: Path, state: Path) -> None:
    """On a device: trust updates signed with a new key of the site, from its site.pub."""
    from edge.common import atomic_file
    from edge.device.enrol import SITE_KEY, about
    from edge.protocol.attestation import public_key

    public_key(file)
    content = file.read_bytes()  # before the command goes on as the agent's user
    become_owner(state)
    about(state)
    atomic_file.write(state / SITE_KEY, content)
    say(f"{state / SITE_KEY}: updates signed with the new key are taken from now on")


@device.command("addresses")
@json_lines
@state_option
@click.option(
    "--note",
    type=path_option,
    help="Root's own note of the names, written where it is not there: the state folder is the "
    "agent's, and is not believed afterwards.",
)
def print_addresses(state: Path, note: Path | None, as_json: bool) -> None:
    """On a device: print the addresses of broker, collector and name servers, for the firewall."""
    from edge.device.addresses import addresses

    for one in addresses(state, note=note):
        say_json(json.dumps({"address": one})) if as_json else say(one)


def seconds(duration: str) -> float:
    """`90s`, `15m`, `2h`, `7d`; raises UserError."""
    number, unit = duration[:-1], duration[-1:]
    if unit not in DURATION or not number.isdigit():
        raise UserError("not a duration", f"'{duration}'", "write it as in 90s, 15m, 2h or 7d")
    return int(number) * DURATION[unit]


class FleetAccess(NamedTuple):
    fleet: FleetService
    store: Store
    settings: CollectorSettings


@contextmanager
def _fleet_access(config: Path) -> Iterator[FleetAccess]:
    from collector.access.audit import AuditLog
    from collector.access.command_access import engine_and_key
    from collector.access.limits import Limits
    from collector.config import CollectorSettings
    from collector.fleet.service import FleetService
    from collector.storage.store import Store
    from edge.common.settings import load

    settings = load(CollectorSettings, config)
    if settings.fleet is None:
        raise UserError("'fleet' is missing", config, "make the site with `roommood site init`")
    with engine_and_key(settings) as (engine, key):
        audit = AuditLog(engine, settings.state, key)
        fleet = FleetService(settings.fleet, engine, audit, Limits(), settings.broker)
        yield FleetAccess(fleet, Store(engine), settings)


@device.command()
@click.option("--room", "rooms", multiple=True, required=True, help="Room to invite; repeatable.")
@click.option(
    "--valid",
    default="15m",
    show_default=True,
    help="How long the code is valid: 30s, 15m, 2h, 7d; at most 14d.",
)
@click.option(
    "--out", type=path_option, help="Folder for one file per room, to put on boot partitions."
)
@json_lines
@config_option
def invite(
    config: Path, rooms: tuple[str, ...], valid: str, out: Path | None, as_json: bool
) -> None:
    """Print a one-time code for a room's device, as text and as a QR code."""
    from collector.fleet.invitation_text import invitation_text, own_room

    files = {name: _card_file(out, name) for name in rooms} if out else {}
    with _fleet_access(config) as access:
        url = access.settings.web.url
        if url is None:
            raise UserError(
                "'web.url' is missing",
                config,
                "set it to the address at which devices reach the collector",
            )
        for name in rooms:
            room = own_room(name, access.fleet.site)
            code = str(access.fleet.invite(room, BY, seconds(valid)))
            invitation = {"site": room[0], "room": room[1], "code": code, "collector": url}
            if name in files:
                with files[name] as file:
                    file.write(f"collector: {url}\ncode: {code}\n")
            if as_json:
                say_json(json.dumps(invitation))
            else:
                say_lines(invitation_text(url, code, "/".join(room), valid))


def _card_file(folder: Path, name: str) -> IO[str]:
    """For a boot partition; opened before the command goes on as the collector's user."""
    path = folder / f"roommood-enrol-{name.rpartition('/')[2]}.yaml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("w", encoding="utf-8")
        path.chmod(0o600)
    except OSError as error:
        raise UserError(str(error.strerror), path, "choose another --out") from None
    return file


@device.command()
@click.argument("names", nargs=-1)
@click.option(
    "--all",
    "everyone",
    is_flag=True,
    help="Approve every pending device; only if you recognise them all.",
)
@config_option
def approve(config: Path, names: tuple[str, ...], everyone: bool) -> None:
    """Approve pending devices, by room or fingerprint, after comparing fingerprints."""
    if bool(names) == everyone:
        raise click.UsageError("name rooms or fingerprints, or add --all.")
    with _fleet_access(config) as access:
        invitations = access.fleet.invitations
        requests = invitations.pending() if everyone else [invitations.find(name) for name in names]
        for request in requests:
            access.fleet.enrolment.approve(request, BY)
            say(f"{'/'.join(request.room)}: approved, fingerprint {request.fingerprint}")


@device.command()
@click.argument("names", nargs=-1, required=True)
@config_option
def refuse(config: Path, names: tuple[str, ...]) -> None:
    """Reject pending devices, by room or fingerprint."""
    with _fleet_access(config) as access:
        for name in names:
            request = access.fleet.invitations.find(name)
            access.fleet.enrolment.refuse(request, BY)
            say(f"{'/'.join(request.room)}: refused")


@device.command()
@click.argument("rooms", nargs=-1, required=True)
@click.option(
    "--because", default="revoked by IT", show_default=True, help="Reason, for the audit log."
)
@config_option
def revoke(config: Path, rooms: tuple[str, ...], because: str) -> None:
    """Revoke the certificates of rooms' devices; open connections end within a minute."""
    from collector.fleet.invitation_text import own_room

    with _fleet_access(config) as access:
        for name in rooms:
            room = own_room(name, access.fleet.site)
            access.fleet.revoke(room, BY, because)
            say(f"{'/'.join(room)}: revoked")


@device.command("list")
@json_lines
@config_option
def list_devices(config: Path, as_json: bool) -> int:
    """Print every device and what is wrong with it; exit status 1 if something is."""
    from collector.fleet.listing import as_of_now
    from collector.pages.words import words

    with _fleet_access(config) as access:
        rows = as_of_now(access.fleet.registry, access.store, access.settings.broker)
        requests = access.fleet.invitations.pending()
    faults = words("en")["fleet"]["faults"]
    for row in rows:
        if as_json:
            say_json(row.model_dump_json())
            continue
        say(
            f"{row.site}/{row.room}\t{row.state}\t{row.version or '-'}\t"
            f"{'-' if row.certificate_days is None else row.certificate_days} days"
        )
        if row.fault:
            fault = faults[row.fault]
            about = f" ({row.about})" if row.about else ""
            say_lines(f"\t{fault['why']}{about}\n\t-> {fault['remedy']}")
    if not as_json:
        for one in requests:
            say(
                f"{'/'.join(one.room)}\twaits for approval\tfingerprint {one.fingerprint}\t"
                f"from {one.address}"
            )
    return 1 if any(row.fault for row in rows) else 0


@device.command()
@click.argument("bundle", type=path_option)
@click.option(
    "--canary", "canaries", multiple=True, help="Room that tries the update first; repeatable."
)
@config_option
def update(config: Path, bundle: Path, canaries: tuple[str, ...]) -> None:
    """Offer a signed update (`roommood site bundle`); without --canary, to all at once."""
    try:
        data = bundle.read_bytes()  # before the command goes on as the collector's user
    except OSError as error:
        raise UserError(
            f"cannot be read ({error.strerror})", bundle, "check the path and its permissions"
        ) from None
    with _fleet_access(config) as access:
        number = access.fleet.upload(data, list(canaries), BY)
    first = f"first to {', '.join(canaries)}" if canaries else "to all"
    say(f"update {number}: offered {first}")


@device.command()
@click.option("--everywhere", type=int, help="Offer this update to every device now.")
@click.option("--withdraw", type=int, help="Stop offering this update.")
@json_lines
@config_option
def updates(config: Path, everywhere: int | None, withdraw: int | None, as_json: bool) -> None:
    """Print every update and its progress; or offer it to all, or withdraw it."""
    with _fleet_access(config) as access:
        if everywhere is not None:
            access.fleet.move(everywhere, "everywhere", BY)
        if withdraw is not None:
            access.fleet.move(withdraw, "withdrawn", BY)
        for one in access.fleet.catalog.all():
            if as_json:
                fields = {"number": one.number, "state": one.state}
                more = {"canaries": list(one.canaries), "note": one.note}
                say_json(json.dumps(fields | more))
            else:
                say(f"{one.number}\t{one.state}\t{' '.join(one.canaries)}\t{one.note}")
