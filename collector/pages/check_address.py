"""Addresses as pictures for phones: where a class checks in, and where to read of a room."""

from __future__ import annotations

import io


def check_qr(url: str, code: str) -> str:
    """SVG of the address that leads to a lesson's question."""
    return qr_code(f"{url}/{code}")


def qr_code(address: str) -> str:
    """SVG of any address."""
    import segno  # noqa: PLC0415  # where a check-in is shown; a start does without

    out = io.BytesIO()
    qr = segno.make(address, error="m", micro=False)
    qr.save(out, kind="svg", border=2, xmldecl=False, light="#fff", svgclass="qr", omitsize=True)
    return out.getvalue().decode()
