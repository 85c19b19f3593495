"""An enrolled agent's settings: the site's, over them the machine's own file, over that the update.

The machine's file says what only the machine knows, as its camera; it names the folder of the
enrolment with `enrolled:`. An update is signed with the site's key, and may change all but who the
device is, whom it talks to, and what protects people: see edge/device/protection.py.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from edge.common.errors import ENROL_ANEW, UserError, unusable
from edge.common.settings import read, validate
from edge.config import AgentSettings
from edge.device.enrol import ABOUT, SITE, about
from edge.device.protection import FROM_AFAR, check, never
from edge.device.slots import Updates
from edge.protocol.bundle import PACK, SETTINGS

log = logging.getLogger(__name__)

NAMES = {"site", "room", "device"}
"""What an enrolment alone decides."""

FIXED_KEYS = {name for name, rule in FROM_AFAR.items() if rule is never}
"""What no update may name."""


def agent_settings(config: Path, update: int | None = None) -> AgentSettings:
    """The settings in force; raises UserError naming the file and the key."""
    own = read(config)
    enrolment = own.get("enrolled")
    if enrolment is None:
        return validate(AgentSettings, own, config)
    state = config.resolve().parent / str(enrolment)
    about(state)  # refuses a card that was copied
    content = _over(read(state / SITE), _without_room(own, state, config))
    settings = validate(AgentSettings, content, config)
    if update is None:
        return settings
    changed = update_settings(Updates(state).place(update))
    with_update = validate(AgentSettings, _over(content, changed), config)
    check(settings, with_update, f"{SETTINGS} of update {update}")
    return with_update


def _without_room(own: dict[str, Any], state: Path, config: Path) -> dict[str, Any]:
    """The machine's own settings but for who the device is, which its certificate says; where they
    say otherwise, that is said: the broker would refuse every message."""
    theirs = read(state / SITE)
    for key in NAMES & own.keys():
        if own[key] != theirs.get(key, theirs.get("room")):
            log.warning(
                "%s: '%s: %s' counts for nothing: this device is enrolled as '%s'. "
                "Take the line out; for another room, invite it there and run "
                "`sudo roommood device enrol`",
                config,
                key,
                own[key],
                theirs.get(key, theirs.get("room")),
            )
    return {key: value for key, value in own.items() if key not in NAMES}


def is_enrolled(config: Path) -> bool:
    """Whether it need not be, or is: whether a site has given the device its room."""
    state = enrolment_of(config)
    if state is None:
        return True
    try:
        (state / ABOUT).stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise unusable(error, state / ABOUT, ENROL_ANEW) from None
    return True


def settings_to_try(config: Path, update: int | None = None) -> AgentSettings:
    """The settings in force, before enrolment too: camera and model are tried before a device has
    a room, and a broker that would know it."""
    if is_enrolled(config):
        return agent_settings(config, update)
    own = read(config)
    nowhere = {"site": "not-enrolled", "room": "not-enrolled", "state": str(own["enrolled"])}
    return validate(AgentSettings, _over(nowhere, own), config)


def enrolment_of(config: Path) -> Path | None:
    """The folder of the enrolment, where the settings name one."""
    enrolment = read(config).get("enrolled")
    return None if enrolment is None else config.resolve().parent / str(enrolment)


def update_settings(folder: Path) -> dict[str, Any]:
    """What an update changes; raises UserError for what it may not."""
    changes: dict[str, Any] = {}
    if (folder / SETTINGS).exists():
        changes = read(folder / SETTINGS)
    if wrong := FIXED_KEYS & changes.keys():
        raise UserError(f"an update cannot change '{min(wrong)}'", SETTINGS, "leave it out")
    if (folder / PACK).is_dir():
        changes["model"] = str(folder / PACK)
    files = {path.name for path in folder.iterdir() if path.is_file()}
    settings: dict[str, Any] = _with_paths(changes, folder, files)
    return settings


def overrides(state: Path, update: int, keys: tuple[str, ...]) -> bool:
    """Whether an update says something of a key (`faces`, `detector`), whatever the file says."""
    value: Any = update_settings(Updates(state).place(update))
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True


def _with_paths(value: Any, folder: Path, files: set[str]) -> Any:
    """Names of files that came with the update, as paths."""
    if isinstance(value, dict):
        return {key: _with_paths(item, folder, files) for key, item in value.items()}
    return str(folder / value) if isinstance(value, str) and value in files else value


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Sections are laid over each other key by key; all else is replaced."""
    content = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(content.get(key), dict)
        content[key] = _over(content[key], value) if both else value
    return content
