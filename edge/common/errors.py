"""Errors that a person can mend: one line that says what, where and how."""

from __future__ import annotations


class Refusal(Exception):
    """Input or a machine that roommood cannot work with; the command exits with status 2.

    The message names the file, the key or the device, and the remedy; nobody sees a traceback.
    """


class CameraFault(Exception):
    """A camera that does not answer now but may again: the agent closes it and tries later."""


class Stalled(Exception):
    """A part of the agent that stands still: a new process may do better, and systemd starts it."""
