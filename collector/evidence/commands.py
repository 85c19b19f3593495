"""`roommood collector evidence`: what the collector knows, for whoever answers for it."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from collector.access.command_access import BY, DISK, open_collector
from collector.config import CollectorSettings
from collector.pages.words import LANGUAGES
from edge.common.command import config_option
from edge.common.errors import UserError, in_words
from edge.common.privileges import owner_for_now
from edge.common.say import say
from edge.common.settings import load

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

path_option = click.Path(path_type=Path)
day_option = click.DateTime(["%Y-%m-%d"])


@click.command()
@config_option
@click.option("--out", required=True, type=path_option, help="ZIP file to write.")
@click.option("--from", "first", type=day_option, help="First day; by default all that is stored.")
@click.option("--to", "last", type=day_option, help="Last day; today by default.")
@click.option(
    "--key",
    "key_file",
    type=path_option,
    help="The site's private key, site.key; by default the one in the site's folder.",
)
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default="en",
    show_default=True,
    help="Of the summary (PDF).",
)
@click.option("--replace", is_flag=True, help="Replace a file that is there.")
def evidence(
    config: Path,
    out: Path,
    first: datetime | None,
    last: datetime | None,
    key_file: Path | None,
    language: str,
    replace: bool,
) -> None:
    """Write a signed ZIP: what was measured, who authorised it, what was deleted and changed."""
    from collector.evidence.facts import gather
    from collector.evidence.files import pack_files
    from collector.evidence.pack import write_pack
    from collector.retention.whole_file import whole_file

    settings = load(CollectorSettings, config)
    if out.is_file() and not replace:
        raise UserError("is there already", out, "choose another --out, or add --replace")
    begin, end = _span(settings, first, last)
    key = _signing_key(settings, key_file)  # as whoever calls: the collector's user may not read it
    state = settings.state
    service = state.stat().st_uid if state.exists() else None
    try:
        with whole_file(out, service) as file:
            with (
                owner_for_now(state),
                open_collector(config) as (engine, _accounts, audit, settings),
            ):
                audit.add(BY, "evidence made", out.name)
                facts = gather(settings, engine, audit, begin, end)
            data = write_pack(pack_files(settings, facts, language, key), key)
            file.write(data)
    except OSError as error:
        remedy = "free space there, or choose" if error.errno in DISK else "choose"
        raise UserError(in_words(error), error.filename or out, f"{remedy} another place") from None
    say(f"{out}: {len(data)} bytes, {'signed' if key else 'not signed'}")
    if key is None:
        say(
            f"roommood: {out}: not signed: whoever can write it can change it; run this where "
            "site.key can be read (with sudo), or add --key",
            err=True,
        )


def _span(
    settings: CollectorSettings, first: datetime | None, last: datetime | None
) -> tuple[float, float]:
    """From the first day's beginning to the last one's end, as the school's calendar has them."""
    zone = ZoneInfo(settings.school.timezone)

    def begin_of(day: date) -> float:
        return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()

    if first and last and first > last:
        raise UserError("--from is after --to", f"{first:%Y-%m-%d}", "write an earlier day")
    now = time.time() + 1  # with what is written down about this very pack
    end = min(begin_of(last.date() + timedelta(days=1)), now) if last else now
    begin = begin_of(first.date()) if first else 0.0
    if begin >= end:
        raise UserError("that day has not come yet", f"{first:%Y-%m-%d}", "write an earlier --from")
    return begin, end


def _signing_key(settings: CollectorSettings, path: Path | None) -> Ed25519PrivateKey | None:
    """The one that was named, or that of the site where this user can read it; raises UserError for
    one that is not the site's."""
    from edge.protocol.attestation import public_key, read_private

    public = settings.fleet.folder / "site.pub" if settings.fleet else None
    if path is None:
        if public is None:
            return None
        path = public.parent / "signing" / "site.key"
        try:
            path.open("rb").close()
        except OSError:
            return None
    key = read_private(path)
    if public is not None and public.exists() and key.public_key() != public_key(public):
        raise UserError(
            f"is not the key whose public half the devices have ({public})",
            path,
            "name the right one, or see `roommood site check`",
        )
    return key
