"""Windows, as before there were migrations; brings what older collectors made up to there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    connection = op.get_bind()
    inspector = sa.inspect(connection)
    if inspector.has_table("mood"):
        _bring_up_to_date(connection, inspector)
        return
    op.create_table(
        "mood",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("site", sa.String(32), nullable=False),
        sa.Column("room", sa.String(32), nullable=False),
        sa.Column("device", sa.String(32), nullable=False),
        sa.Column("boot", sa.String(36), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("start", sa.Float, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("clock", sa.String(8), nullable=False),
        sa.Column("frames", sa.Integer, nullable=False),
        sa.Column("faces", sa.Integer),
        sa.Column("counts", sa.JSON),
        sa.Column("withheld", sa.String(16)),
        sa.Column("model", sa.String(12), nullable=False),
        sa.Column("windows", sa.Integer, nullable=False, server_default="1"),
        sa.Column("received", sa.Float, nullable=False),
        sa.UniqueConstraint("device", "boot", "seq"),
    )
    op.create_index("mood_by_time", "mood", ["site", "room", "start"])


def _bring_up_to_date(connection: sa.Connection, inspector: sa.Inspector) -> None:
    """SQLite's integers are large in any case; PostgreSQL's were not."""
    columns = {column["name"]: column["type"] for column in inspector.get_columns("mood")}
    if "windows" not in columns:
        op.add_column("mood", sa.Column("windows", sa.Integer, nullable=False, server_default="1"))
    if connection.dialect.name != "sqlite" and not isinstance(columns["seq"], sa.BigInteger):
        op.alter_column("mood", "seq", type_=sa.BigInteger)
