"""The settings of `backup`: where backups are put when no file is named, and how many stay."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from edge.common.broker import FilePath
from edge.common.settings import Section

INSTALLED_STATE, INSTALLED_FOLDER = (
    Path("/var/lib/roommood-collector"),
    Path("/var/backups/roommood"),
)
"""As `install-collector` makes them, both the service's alone."""


class BackupSettings(Section):
    """Backups in one folder, newest by number; systemd's timer makes one a day."""

    folder: FilePath | None = None
    """By default /var/backups/roommood on a machine that `install-collector` set up; elsewhere
    none."""
    keep: int = Field(14, ge=1, le=1000)
    """How many good ones stay; one is deleted only after a newer one was read through."""
    late_after_hours: float = Field(50, gt=0, le=8760)
    """With a newest one older than that, IT is told."""
    watch: bool = True
    """Whether IT is told of backups that fail, are late or are damaged."""

    def place(self, state: Path) -> Path | None:
        """The folder in force, of a collector with this state folder; None where there is none."""
        if self.folder is not None:
            return self.folder
        return INSTALLED_FOLDER if state == INSTALLED_STATE else None
