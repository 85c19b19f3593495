"""A window's identity is bound to its room: what one room sends can be no other room's window."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

IDENTITY = ["site", "room", "device", "boot", "seq"]
NAMES = {"uq": "%(table_name)s_%(column_0_N_name)s_key"}
"""SQLite's constraint has no name of its own to be dropped by; PostgreSQL's has this one."""


def upgrade() -> None:
    op.drop_index("mood_merged", "mood")
    with op.batch_alter_table("mood", naming_convention=NAMES) as table:
        table.drop_constraint(_identity(), type_="unique")
        table.create_unique_constraint("mood_identity", IDENTITY)
    condition = sa.text("windows > 1")
    op.create_index(
        "mood_merged", "mood", IDENTITY[:-1], sqlite_where=condition, postgresql_where=condition
    )


def _identity() -> str:
    (constraint,) = sa.inspect(op.get_bind()).get_unique_constraints("mood")
    return constraint["name"] or "mood_device_boot_seq_key"
