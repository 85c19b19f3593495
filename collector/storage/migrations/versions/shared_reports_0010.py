"""A share link may be to one lesson's report."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    # As text: SQLite can add such a column, but not a constraint of its own.
    op.execute(
        "ALTER TABLE link ADD COLUMN lesson INTEGER REFERENCES lesson (id) ON DELETE CASCADE"
    )
    op.create_index("link_by_lesson", "link", ["lesson"])
