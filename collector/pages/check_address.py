"""Where a class checks in, as a picture for its phones."""

from __future__ import annotations

import io


def check_qr(url: str, code: str) -> str:
    """SVG of the address that leads to a lesson's question."""
    import segno  # noqa: PLC0415  # where a check-in is shown; a start does without

    out = io.BytesIO()
    qr = segno.make(f"{url}/{code}", error="m", micro=False)
    qr.save(out, kind="svg", border=2, xmldecl=False, light="#fff", svgclass="qr", omitsize=True)
    return out.getvalue().decode()
