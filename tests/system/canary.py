"""A known pattern in every frame, and the search for it, and for anything image-like, elsewhere."""

from __future__ import annotations

import base64
import json
import math
import struct
from collections import Counter, defaultdict
from pathlib import Path

import cv2
import numpy as np

from edge.camera.base import Grey
from edge.camera.simulation import SimulatedCamera
from edge.protocol.messages import MessageError, Mood, Status, decode

BAND = 120
"""Rows of the pattern at the bottom of each frame."""

PIECE = 12
"""Bytes of the pattern that are searched for: chance would find them once in 2^96."""

IMAGE_STARTS = {
    b"\xff\xd8\xff": "a JPEG",
    b"\x89PNG\r\n": "a PNG",
    b"WEBPVP8": "a WebP",
    b"GIF89a": "a GIF",
    b"ftypisom": "an MP4",
}
RANDOM_LOOKING = 6.2
"""Bits per byte, over BLOCK bytes: text and counts have under 6, pictures and ciphers over 7."""

BLOCK = 2048
LEAST_BLOCK = 512
"""A shorter message cannot hold a picture that anyone could make out."""


def pattern() -> Grey:
    """(BAND, 1280) random grey."""
    return np.random.default_rng(20260302).integers(0, 256, (BAND, 1280), np.uint8)


def pictures(folder: Path, count: int = 3) -> None:
    """Frames of a room with enough faces to be counted, the pattern below them, without loss."""
    camera = SimulatedCamera(seats=16, seed=3)
    folder.mkdir()
    for number in range(count):
        frame = camera.grey(30.0 + 5 * number)
        frame[-BAND:] = pattern()
        cv2.imwrite(str(folder / f"{number}.png"), frame)


def needles() -> dict[bytes, str]:
    """Pieces of the pattern, raw and as text would carry them."""
    patterns: dict[bytes, str] = {}
    band = pattern()
    for row in range(BAND):
        for column in range(0, 1280 - 48, 48):
            run = band[row, column : column + 48].tobytes()
            patterns[run[:PIECE]] = "raw"
            patterns[run[:PIECE].hex().encode()] = "hex"
            for shift in range(3):
                base64_text = base64.b64encode(run[shift : shift + 24])
                patterns[base64_text[4:20]] = "base64"
            numbers = json.dumps(list(run[:PIECE]))[1:-1]
            patterns[numbers.encode()] = "numbers"
            patterns[numbers.replace(", ", " ").encode()] = "numbers"
    return patterns


NEEDLES = needles()
HEADS = {needle[:8]: needle for needle in NEEDLES}
HEAD_NUMBERS = np.sort(np.frombuffer(b"".join(HEADS), "<u8"))
CHUNK = 1 << 20


def search(data: bytes) -> str | None:
    """The form in which a piece of the pattern is in `data`, at whatever offset."""
    for at in range(0, len(data), CHUNK):
        chunk = data[at : at + CHUNK + 64]
        for shift in range(8):
            words = np.frombuffer(chunk, "<u8", (len(chunk) - shift) // 8, shift)
            place = np.searchsorted(HEAD_NUMBERS, words).clip(max=len(HEAD_NUMBERS) - 1)
            for word in np.flatnonzero(HEAD_NUMBERS[place] == words):
                begin = shift + 8 * int(word)
                needle = HEADS[chunk[begin : begin + 8]]
                if chunk.startswith(needle, begin):
                    return NEEDLES[needle]
    return None


def pattern_bytes(pid: int) -> int:
    """How many bytes of the pattern the memory of a process holds, in aligned words of eight."""
    windows = np.lib.stride_tricks.sliding_window_view(pattern(), 8, axis=1)
    numbers = np.unique(np.ascontiguousarray(windows).view("<u8"))
    hits = 0
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        span, rights, *_ = line.split()
        if not rights.startswith("rw"):
            continue
        begin, end = (int(edge, 16) for edge in span.split("-"))
        with Path(f"/proc/{pid}/mem").open("rb") as memory:
            memory.seek(begin)
            words = np.frombuffer(memory.read(end - begin), "<u8")
        hits += 8 * int(np.isin(words[words > 1 << 32], numbers).sum())
    return hits


def entropy(data: bytes) -> float:
    """Bits per byte."""
    return -sum(n / len(data) * math.log2(n / len(data)) for n in Counter(data).values())


def findings(name: str, data: bytes) -> list[str]:
    """What in `data` is the pattern, starts like an image, or looks like one."""
    wrong = []
    if form := search(data):
        return [f"{name}: the pattern, {form}"]
    wrong += [f"{name}: {kind}" for start, kind in IMAGE_STARTS.items() if start in data]
    for at in range(0, len(data), BLOCK):
        block = data[at : at + BLOCK]
        if len(block) >= LEAST_BLOCK and entropy(block) > RANDOM_LOOKING:
            wrong.append(f"{name}: {len(block)} bytes at {at} look random")
            break
    return wrong


def folder_findings(folder: Path) -> list[str]:
    """Every file below a folder, whatever its name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [one for path in files for one in findings(path.name, path.read_bytes())]


def sent_to(port: int, capture: Path) -> bytes:
    """What went to a TCP port, of a capture file of the loopback interface.

    In the order of sequence numbers, per connection; see the libpcap savefile format.
    """
    data = capture.read_bytes()
    streams: dict[int, dict[int, bytes]] = defaultdict(dict)
    at = 24
    while at + 16 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 8)
        packet, at = data[at + 16 : at + 16 + length], at + 16 + length
        ip = packet[14:]  # after an Ethernet header, which loopback has too
        if len(ip) < 40 or ip[0] >> 4 != 4 or ip[9] != 6:
            continue
        tcp = ip[4 * (ip[0] & 15) : struct.unpack_from(">H", ip, 2)[0]]
        source, target, sequence = struct.unpack_from(">HHI", tcp)
        if target == port and (payload := tcp[4 * (tcp[12] >> 4) :]):
            streams[source][sequence] = payload
    return b"".join(parts[key] for parts in streams.values() for key in sorted(parts))


def message_findings(stream: bytes) -> list[str]:
    """Every MQTT packet that the agent sent, the payloads of PUBLISH decoded as ours."""
    wrong: list[str] = []
    at = version = 0
    while at < len(stream):
        kind, length, at = stream[at] >> 4, *_length(stream, at + 1)
        packet, at = stream[at : at + length], at + length
        if kind == 1 and b"MQTT" not in packet:
            return [*wrong, "traffic: not MQTT"]
        version = packet[6] if kind == 1 else version
        if kind != 3:
            continue
        size = 2 + int.from_bytes(packet[:2], "big")
        topic, begin = packet[2:size].decode("utf-8", "replace"), size + 2
        if version == 5:  # properties come first
            length, begin = _length(packet, begin)
            begin += length
        payload = packet[begin:]
        message_kind = {"mood": Mood, "status": Status}.get(topic.rpartition("/")[2])
        try:
            if message_kind is None:
                raise MessageError("no topic of ours")
            decode(message_kind, payload)  # type: ignore[arg-type]  # either kind
        except MessageError as error:
            wrong.append(f"traffic: {topic}: {len(payload)} bytes: {error}")
    return wrong


def _length(stream: bytes, at: int) -> tuple[int, int]:
    """MQTT's variable byte integer, and where what follows it begins."""
    value, shift = 0, 0
    while True:
        byte, at = stream[at], at + 1
        value |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            return value, at
