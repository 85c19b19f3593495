"""Errors for people: what is wrong, where, and the remedy, as fields from raising to showing."""

from __future__ import annotations

import getpass
import os
import ssl
from pathlib import Path

SUDO = "run the same command with sudo"
ENROL_ANEW = "enrol the device again: `sudo roommood device enrol`"


class Problem(Exception):
    """What is wrong, where, and what to do about it.

    `where` is the file, key, device or address; `remedy` an instruction, empty only where there is
    none. As text it is one line, `where: what: remedy`.
    """

    def __init__(self, what: str, where: str | Path, remedy: str) -> None:
        super().__init__(what, where, remedy)
        self.what, self.where, self.remedy = what, str(where), remedy

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.what, self.remedy) if part)

    def fields(self) -> dict[str, str]:
        """For JSON."""
        return {"what": self.what, "where": self.where, "remedy": self.remedy}


class UserError(Problem):
    """Input or a machine that roommood cannot work with; the command exits with status 2.

    Nobody sees a traceback.
    """


class CameraFault(Problem):
    """A camera that does not answer now but may again: the agent closes it and tries later."""

    def lasting(self) -> UserError:
        """For a command that does not try again."""
        return UserError(self.what, self.where, self.remedy)


class SettingError(ValueError):
    """A value that a settings file must not have; the reader adds the file and the key.

    A ValueError, since pydantic passes only those on.
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}: {remedy}")
        self.what, self.remedy = what, remedy


class Stall(Exception):
    """A part of the agent that stands still: a new process may do better, and systemd starts it."""


def in_words(error: BaseException) -> str:
    """What an operating system's or a library's error says, without its number, its file in C, or
    the path that is named beside it anyway."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return (error.reason or "TLS failed").replace("_", " ").lower()
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    return str(error) or type(error).__name__


def unusable(error: BaseException, path: str | Path, remedy: str) -> UserError:
    """A file that is there and cannot be used: for want of rights, which sudo mends; because the
    disk fails; or since it is damaged, which `remedy` mends."""
    if isinstance(error, PermissionError):
        return UserError(f"user '{_user()}' may not read it", path, SUDO)
    if isinstance(error, OSError):
        return UserError(f"cannot be read ({in_words(error)})", path, remedy)
    return UserError("is damaged", path, remedy)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return str(os.geteuid())
