"""An erasure may be of a run's windows up to a number: those that were dated ahead."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("erasure", sa.Column("boot", sa.String(36)))
    op.add_column("erasure", sa.Column("seq", sa.BigInteger))
