"""Text files as people's programs save them, which seldom say their encoding."""

from __future__ import annotations

import codecs

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; UTF-32's little-endian one begins with UTF-16's, so it is asked first."""


def decode(content: bytes) -> str:
    """The text of a file in UTF-8, UTF-16 or UTF-32, or else in Windows' Western encoding.

    UTF-16 without a mark is known by the zero bytes that Latin letters leave; single ones are
    dropped.
    """
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    head = content[:400]
    if head and head.count(0) * 3 > len(head):
        return content.decode(
            "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be",
            errors="replace",
        )
    content = content.replace(b"\0", b"")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def printable(text: str) -> str:
    """On one line, and without what turns a text around: such characters are written as numbers."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def storable(text: str) -> str:
    """With a mark in place of what no database and no file in UTF-8 takes: the character of number
    zero, and halves of characters, which JSON can write."""
    if text.isascii():
        return text.replace("\0", "\ufffd")
    return "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)
