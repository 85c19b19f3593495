"""Invitations, requests, certificates, devices and updates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "invitation",
        sa.Column("code", sa.String(16), primary_key=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("site", sa.String(32), nullable=False),
        sa.Column("room", sa.String(32), nullable=False),
        sa.Column("made_by", sa.String(64), nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
    )
    op.create_table(
        "request",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "code",
            sa.String(16),
            sa.ForeignKey("invitation.code", ondelete="CASCADE"),
            nullable=False,
            unique=True,
        ),
        sa.Column("csr", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.String(19), nullable=False),
        sa.Column("hardware", sa.String(64), nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("certificate", sa.Text),
    )
    op.create_table(
        "certificate",
        sa.Column("serial", sa.String(40), primary_key=True),
        sa.Column("site", sa.String(32), nullable=False),
        sa.Column("room", sa.String(32), nullable=False),
        sa.Column("pem", sa.Text, nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("ended", sa.Float),
        sa.Column("because", sa.String(64)),
    )
    op.create_index("certificate_by_room", "certificate", ["site", "room"])
    op.create_table(
        "device",
        sa.Column("site", sa.String(32), primary_key=True),
        sa.Column("room", sa.String(32), primary_key=True),
        sa.Column("hardware", sa.String(64), nullable=False),
        sa.Column("seen", sa.Float),
        sa.Column("report", sa.JSON),
    )
    op.create_table(
        "bundle",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("site", sa.String(32), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("canaries", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
