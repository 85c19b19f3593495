"""What is wrong and who was told of it, and mails that wait for the mail server."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("cause", sa.String(32), primary_key=True),
        sa.Column("site", sa.String(32), primary_key=True),
        sa.Column("item", sa.String(64), primary_key=True),
        sa.Column("about", sa.String(200), nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("told", sa.Float),
        sa.Column("over", sa.Float),
    )
    op.create_table(
        "mail",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("audience", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("answers", sa.String(64)),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next", sa.Float, nullable=False),
        sa.Column("sent", sa.Float),
    )
