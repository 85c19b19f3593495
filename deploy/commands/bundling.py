"""The files of an update, gathered and checked before they are signed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from edge.common.errors import UserError
from edge.common.settings import read
from edge.device.managed_settings import FIXED_KEYS
from edge.protocol.bundle import LARGEST, PACK, SETTINGS
from edge.vision.pack import PACK_FILE, open_float16, open_pack


def gather(pack: Path | None, settings: Path | None, more: Sequence[Path]) -> dict[str, bytes]:
    """Raises UserError for a pack or settings that no device would take."""
    files: dict[str, bytes] = {}
    if pack is None and settings is None:
        raise UserError("nothing to sign", "update", "add --pack, --settings or both")
    if pack is not None:
        description, model = open_pack(str(pack))
        files[PACK + PACK_FILE] = (pack / PACK_FILE).read_bytes()
        files[PACK + description.file] = model
        whole = open_float16(str(pack))[1]
        if description.float16 and whole:
            files[PACK + description.float16.file] = whole
    if settings is not None:
        content = read(settings, "--settings")
        if wrong := FIXED_KEYS & content.keys():
            raise UserError(f"an update cannot change '{min(wrong)}'", settings, "leave it out")
        files[SETTINGS] = yaml.safe_dump(content, sort_keys=False).encode()
    for path in more:
        try:
            files[path.name] = path.read_bytes()
        except OSError as error:
            raise UserError(
                f"cannot be read ({error.strerror})", path, "check the path and its permissions"
            ) from None
    if sum(map(len, files.values())) > LARGEST:
        raise UserError(f"more than {LARGEST // 2**20} MB", "update", "leave something out")
    return files
