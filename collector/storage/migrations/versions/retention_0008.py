"""Indexes by which retention finds what is due: by room and start, which is there, and what was
dated ahead of its coming. An index by start alone led it through windows that stay."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.drop_index("mood_by_start", "mood")
    early = sa.text("start > received")
    op.create_index(
        "mood_ahead", "mood", ["site", "received"], sqlite_where=early, postgresql_where=early
    )
