"""Tells films from lists: playlists, SDP and the like, which lead to other files and to cameras.

FFmpeg knows a list by its content and follows it, whatever it is called, and OpenCV's build of it
cannot be kept from that by options. So whatever begins with text, in any encoding, is one.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from edge.common.text import decode

HEAD = 4096
"""Bytes that are looked at: FFmpeg looks at 2,048 first."""

FIRST_WORDS = re.compile(r"#|<|ffconcat|v=0|\[playlist\]", re.IGNORECASE)
"""Of lists and descriptions, whatever follows."""

INSIDE = (b"c=IN IP", b"<MPD", b"#EXTM3U", b"ffconcat", b"RTSPtext", b"SMIL")
"""What FFmpeg looks for further on, too."""

RAW_TEXT = b"YUV4MPEG2"
"""Begins a film all the same."""


def is_list(path: Path) -> bool:
    """Whether a file is a list or description of streams; raises OSError."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(RAW_TEXT):
        return False
    text = decode(head).strip("\ufeff \t\r\n\f\0")
    is_plain = not any(unicodedata.category(letter) == "Cc" for letter in "".join(text.split()))
    return is_plain or bool(FIRST_WORDS.match(text)) or any(word in head for word in INSIDE)
