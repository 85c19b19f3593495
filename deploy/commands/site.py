"""`roommood site`: the site's key, and the attestations signed with it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import get_args

import click

from deploy.commands.site_key import PRIVATE, PUBLIC, make_key
from edge.common.command_group import CommandGroup
from edge.common.errors import SUDO, UserError
from edge.common.say import say
from edge.common.settings import load
from edge.permission.mode import is_prohibited
from edge.protocol.attestation import Attestation, Purpose, countries, read_private, sign

path_option = click.Path(path_type=Path)


@click.group(cls=CommandGroup)
def site() -> None:
    """The site's authority and key, and what is signed with it."""


@site.command()
@click.option("--out", required=True, type=path_option, help="Folder that only IT can read.")
def key(out: Path) -> None:
    """Make the site's Ed25519 key: site.key stays here, site.pub goes to the devices."""
    make_key(out)
    say(f"{out / PRIVATE}: keep it secret; {out / PUBLIC}: copy it to the devices")


@site.command()
@click.option(
    "--key", "key_file", required=True, type=path_option, help="The site's private key, site.key."
)
@click.option("--answers", required=True, type=path_option, help="Who, where and why: a YAML file.")
@click.option(
    "--out", required=True, type=path_option, help="Signed file to write, for the devices."
)
def attest(key_file: Path, answers: Path, out: Path) -> None:
    """Sign an authorisation; start from deploy/examples/attestation.yaml."""
    attestation = load(Attestation, answers, "--answers")
    secret = read_private(key_file)
    try:
        out.write_text(sign(attestation, secret), encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"cannot be written ({error.strerror})", out, "choose another --out"
        ) from None
    rooms = ", ".join(attestation.rooms)
    say(f"{out}: {attestation.site}/{rooms}, until {attestation.last_day}")
    say(f"rule: {_rule(attestation)}")


def _rule(attestation: Attestation) -> str:
    """What the table says of the country and the purpose, with its source and date."""
    table = countries()
    rule = table.rule(attestation.country)
    if rule is None:
        return (
            f"{attestation.country}: no prohibition in our table as of {table.as_of}, which is "
            "no legal advice: devices will read expressions. Ask a lawyer."
        )
    exceptions = " or ".join(purpose for purpose in get_args(Purpose) if purpose in rule.except_)
    law = (
        f"in {attestation.country} a law has prohibited {rule.prohibits} since {rule.since} "
        f"({' '.join(rule.source.split())} Our table is as of {table.as_of}.)"
    )
    if is_prohibited(attestation, max(date.today(), attestation.first_day)):
        return (
            f"{law} Devices will only count faces. It excepts {exceptions} reasons, which need "
            "'purpose' and an 'exception' of their own. Ask a lawyer."
        )
    return f"{law} Devices will read expressions, as {attestation.purpose} reasons are attested."


HOME = Path("/var/lib/roommood-collector")
folder_option = click.option(
    "--folder",
    default=HOME / "site",
    show_default=True,
    type=path_option,
    help="The site's folder.",
)


@site.command("init")
@click.option("--site", "name", required=True, help="Short name of the site: a-z, 0-9 and -.")
@click.option(
    "--host",
    "hosts",
    multiple=True,
    required=True,
    help="Name or address at which devices reach this machine; repeatable.",
)
@folder_option
@click.option(
    "--state",
    default=HOME,
    show_default=True,
    type=path_option,
    help="The collector's state folder.",
)
@click.option(
    "--config",
    default=Path("/etc/roommood/collector.yaml"),
    show_default=True,
    type=path_option,
    help="Collector settings to write.",
)
@click.option(
    "--broker-data",
    default=Path("/var/lib/roommood-broker"),
    show_default=True,
    type=path_option,
    help="The broker's data folder.",
)
@click.option(
    "--broker-log",
    default=Path("/run/roommood-broker/broker.log"),
    show_default=True,
    type=path_option,
    help="The broker's log, which the collector reads.",
)
@click.option(
    "--web-port",
    default=8642,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="Port of the pages.",
)
@click.option(
    "--broker-port",
    default=8883,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="Port for devices (TLS).",
)
@click.option(
    "--local-port",
    default=8884,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="Port for the collector, on this machine.",
)
def make_site(
    name: str,
    hosts: tuple[str, ...],
    folder: Path,
    state: Path,
    config: Path,
    broker_data: Path,
    broker_log: Path,
    web_port: int,
    broker_port: int,
    local_port: int,
) -> None:
    """Make the site's authority, certificates, broker and collector settings. Safe to run again."""
    from deploy.commands.site_init import SitePlan, init

    if not re.fullmatch(r"[a-z0-9-]{1,32}", name):
        raise UserError("not a valid site name", f"'{name}'", "choose 1 to 32 of a-z, 0-9 and -")
    folder, state, config = folder.absolute(), state.absolute(), config.absolute()
    place = SitePlan(
        name,
        hosts,
        folder,
        config,
        state,
        broker_log.absolute(),
        broker_data.absolute(),
        web_port,
        broker_port,
        local_port,
    )
    for line in init(place):
        say(line)


@site.command()
@folder_option
def check(folder: Path) -> None:
    """Try the broker's configuration and rules, and whether the signing key fits."""
    from collector.fleet.files import SiteFiles
    from deploy.commands.broker import trial
    from deploy.commands.broker_rules import needed_changes
    from deploy.commands.site_init import SIGNING
    from deploy.commands.site_key import check_pair

    files = SiteFiles(folder.absolute())
    trial(files)
    say(f"{files.conf}: ok")
    # The status stays 0: it is what tells whether the broker may read its other files anew.
    changes = list(needed_changes(files))
    for change in changes:
        say(f"{files.acl}: older than this version: {change}")
    if changes:
        say("then `sudo systemctl restart roommood-broker`")
    try:
        say(check_pair(files.folder / SIGNING / PRIVATE, files.site_key))
    except PermissionError:
        say(f"{files.folder / SIGNING}: {SUDO} to compare the signing key too")


@site.command("replace-key")
@folder_option
def replace_key(folder: Path) -> None:
    """Make a new signing key in place of one that is lost or known to others."""
    from collector.fleet.files import SiteFiles
    from deploy.commands.site_init import SIGNING
    from deploy.commands.site_key import replace

    files = SiteFiles(folder.absolute())
    files.load()
    signing = files.folder / SIGNING
    replace(signing, files.site_key)
    say(f"{signing / PRIVATE}: new; move it to where IT signs, and keep a copy")
    say("1. on this machine: `sudo systemctl restart roommood-collector`")
    say(
        f"2. copy {files.site_key} to each device, and there: `sudo roommood device trust-key FILE`"
    )
    say("3. sign every attestation again: `roommood site attest`")


@site.command()
@click.option(
    "--key", "key_file", required=True, type=path_option, help="The site's private key, site.key."
)
@click.option("--site", "name", required=True, help="The site's name.")
@click.option(
    "--number",
    required=True,
    type=click.IntRange(1),
    help="Number of the update; higher than any before.",
)
@click.option("--pack", type=path_option, help="Folder of a model pack.")
@click.option("--settings", type=path_option, help="Settings to change in every agent.yaml.")
@click.option(
    "--file",
    "more",
    multiple=True,
    type=path_option,
    help="Extra file that --settings refers to; repeatable.",
)
@click.option("--note", default="", help="Note for people.")
@click.option("--out", required=True, type=path_option, help="File to write.")
def bundle(
    key_file: Path,
    name: str,
    number: int,
    pack: Path | None,
    settings: Path | None,
    more: tuple[Path, ...],
    note: str,
    out: Path,
) -> None:
    """Sign an update for devices: a model pack, settings, or both."""
    from deploy.commands.bundling import gather
    from edge.protocol.bundle import pack_up

    secret = read_private(key_file)
    data = pack_up(name, number, gather(pack, settings, more), note, secret)
    try:
        out.write_bytes(data)
    except OSError as error:
        raise UserError(
            f"cannot be written ({error.strerror})", out, "choose another --out"
        ) from None
    say(f"{out}: update {number}, {len(data)} bytes; next: `roommood device update {out}`")


@site.command()
@click.argument("file", type=path_option)
@click.option(
    "--key",
    "key_file",
    type=path_option,
    help=f"The site's public key, site.pub; {HOME / 'site' / PUBLIC} by default.",
)
def verify(file: Path, key_file: Path | None) -> int:
    """Check an evidence pack: every digest, and the site's signature; exit status 1 if it is not as
    it was made."""
    from deploy.commands.evidence_check import check_pack

    is_whole, lines = check_pack(file, key_file, HOME / "site" / PUBLIC)
    for line in lines:
        say(f"{file}: {line}")
    return 0 if is_whole else 1
