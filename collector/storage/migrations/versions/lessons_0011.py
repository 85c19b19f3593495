"""Indexes by which lessons are listed, compared, and looked through for those without averages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_index("lesson_by_start", "lesson", ["start", "id"])
    op.create_index("lesson_by_title", "lesson", ["site", "title", "start"])
    without = sa.text("summary IS NULL")
    op.create_index(
        "lesson_unsummarised", "lesson", ["end"], sqlite_where=without, postgresql_where=without
    )
