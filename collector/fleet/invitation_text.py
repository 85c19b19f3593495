"""An invitation for people: a code as text, and as a QR code that a device's camera can read."""

from __future__ import annotations

import io
import re
from urllib.parse import quote

from collector.access.accounts import Room
from edge.common.errors import UserError

NAME = re.compile(r"[a-z0-9-]{1,32}")


def own_room(name: str, site: str) -> Room:
    """`r101` or `site/r101`; raises UserError for another site's, or no room's name."""
    before, slash, room = name.strip().rpartition("/")
    if slash and before != site:
        raise UserError(
            f"not a room of site '{site}', whose authority signs for its own rooms alone",
            f"'{name}'",
            "name a room of this site",
        )
    if not NAME.fullmatch(room) or room == "collector":
        raise UserError(
            "not a valid room name",
            f"'{name}'",
            "choose 1 to 32 of a-z, 0-9 and -, but not 'collector'",
        )
    return site, room


def content(url: str, code: str) -> str:
    """What the QR code says."""
    return f"roommood:{quote(url, safe=':/')}#{code}"


def svg(url: str, code: str) -> str:
    """The QR code, to be put into a page."""
    import segno  # noqa: PLC0415  # where somebody is invited; a start does without

    out = io.BytesIO()
    qr = segno.make(content(url, code), error="m", micro=False)
    qr.save(out, kind="svg", scale=5, border=4, xmldecl=False, light="#fff", svgclass="qr")
    return out.getvalue().decode()


def invitation_text(url: str, code: str, room: str, valid: str) -> str:
    """For a terminal."""
    import segno  # noqa: PLC0415  # the same

    out = io.StringIO()
    segno.make(content(url, code), error="m", micro=False).terminal(out, compact=True, border=2)
    return (
        f"{room}: {code}, for {valid}\n{out.getvalue()}"
        f"on the device: roommood device enrol {url} (it asks for the code)\n"
    )
