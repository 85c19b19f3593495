"""Rights hang on an account's number: lessons and share links know whose they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

OWNERS = {"lesson": "SET NULL", "link": "CASCADE"}


def upgrade() -> None:
    op.add_column("account", sa.Column("display", sa.String(64)))
    op.add_column("account", sa.Column("confirmed", sa.Float))
    op.add_column("account", sa.Column("timetable", sa.String(64)))
    op.create_index("account_by_timetable", "account", ["timetable"], unique=True)
    for table, then in OWNERS.items():
        # As text: SQLite can add such a column, but not a constraint of its own.
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN account INTEGER REFERENCES account (id) "
            f"ON DELETE {then}"
        )
        op.create_index(f"{table}_by_account", table, ["account"])
    # Only an administrator gives out names with passwords; the others came from the provider, whose
    # people may choose what they are called: whose timetable is whose an administrator has to say.
    op.execute("UPDATE account SET timetable = name WHERE password IS NOT NULL")
    op.execute("UPDATE lesson SET account = (SELECT id FROM account WHERE name = lesson.teacher)")
    op.execute("UPDATE link SET account = (SELECT id FROM account WHERE name = link.made_by)")
    op.execute("DELETE FROM link WHERE account IS NULL AND role = 'viewer'")
