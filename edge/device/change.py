"""Settings changed by a command: checked first, the file's comments kept, undone if it fails.

The file is edited by ruamel.yaml, which keeps what people wrote around the values.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from edge.common import atomic_file
from edge.common.errors import UserError
from edge.common.settings import Loader, printable_key, read_text
from edge.device.managed_settings import settings_to_try
from edge.device.unit import AgentService

TRY = ".{name}.try"
WATCH_S = 20.0


class SettingChange(NamedTuple):
    """One `key=value`."""

    keys: tuple[str, ...]
    value: Any
    """As settings are read; None takes the key out, so that its default holds."""
    written: str
    """The same as it goes into the file."""

    @property
    def key(self) -> str:
        return ".".join(self.keys)


def read_change(text: str) -> SettingChange:
    """From `camera=usb:1` or `faces.detector=auto`; raises UserError for anything else."""
    name, separator, value = text.partition("=")
    keys = tuple(name.strip().split("."))
    shown = f"'{printable_key(name.strip())}'"  # the value may be a password
    if not separator or not all(keys):
        raise UserError("not of the form key=value", shown, "write, for instance, camera=usb:1")
    try:
        new_value = yaml.load(value, Loader)  # noqa: S506  # a SafeLoader
    except (yaml.YAMLError, RecursionError):
        raise UserError("the value is not valid YAML", shown, "put it in quotes") from None
    return SettingChange(keys, new_value, value)


def edit(content: str, changes: Sequence[SettingChange]) -> str:
    """The file's text with the changes, and all else as it was."""
    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 10_000
    document = editor.load(content)
    for change in changes:
        section = document
        for key in change.keys[:-1]:
            if not isinstance(section.get(key), CommentedMap):
                section[key] = CommentedMap()
            section = section[key]
        if change.value is None:
            section.pop(change.keys[-1], None)
        else:
            section[change.keys[-1]] = _keep_quotes(editor, change)
    out = io.StringIO()
    editor.dump(document, out)
    return out.getvalue()


def _keep_quotes(editor: YAML, change: SettingChange) -> Any:
    """With the quotes that it has or lacks, unless the editor would make another text of it."""
    try:
        value = editor.load(change.written)
        out = io.StringIO()
        editor.dump({"value": value}, out)
        again = yaml.load(out.getvalue(), Loader)["value"]  # noqa: S506  # a SafeLoader
    except (YAMLError, yaml.YAMLError):
        return change.value
    return value if again == change.value else change.value


def apply(
    config: Path, changes: Sequence[SettingChange], service: AgentService, update: int | None
) -> str:
    """Changes the file and restarts the agent with it; returns what happened, in a sentence.

    Raises UserError, with the file as it was, where the settings are not valid or the agent does
    not go on running with them.
    """
    before = read_text(config)
    after = edit(before, changes)
    mode = config.stat().st_mode & 0o777
    attempt = config.with_name(TRY.format(name=config.name))
    try:
        atomic_file.write(attempt, after, mode)
        settings_to_try(attempt, update)
    except OSError as error:
        raise UserError(
            str(error.strerror), config, "run this as root, with room on the disk"
        ) from None
    except UserError as error:
        raise UserError(f"{error.what}; nothing was changed", config, error.remedy) from None
    finally:
        attempt.unlink(missing_ok=True)
    if after == before:
        return "nothing to change"
    atomic_file.write(config, after, mode)
    if not service.runs():
        return "changed; it holds from the agent's next start"
    if service.restart_well(WATCH_S):
        return f"changed; the agent was restarted and has run for {WATCH_S:.0f} s with it"
    atomic_file.write(config, before, mode)
    service.restart_well(0)
    raise UserError(
        "the agent did not go on running with this; it was undone, and the agent restarted",
        config,
        "look at the reason: journalctl -u roommood-agent",
    )
