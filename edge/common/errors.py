"""Errors for people: what is wrong, where, and the remedy, as fields from raising to showing."""

from __future__ import annotations

from pathlib import Path


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
