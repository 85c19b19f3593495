"""Accounts, lessons, check-ins, the audit log, and what is to be delivered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

REFUSE_SQLITE = """CREATE TRIGGER audit_keeps_{0} BEFORE {0} ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"""

REFUSE_POSTGRESQL = """CREATE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'the audit log is append-only'; END$$"""

TRIGGER_POSTGRESQL = """CREATE TRIGGER audit_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()"""


def upgrade() -> None:
    op.create_index("mood_by_start", "mood", ["start"])
    condition = sa.text("windows > 1")
    op.create_index(
        "mood_merged",
        "mood",
        ["device", "boot"],
        sqlite_where=condition,
        postgresql_where=condition,
    )
    _access()
    _lessons()
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("about", sa.String(200), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(REFUSE_SQLITE.format(change))
    else:
        op.execute(REFUSE_POSTGRESQL)
        op.execute(TRIGGER_POSTGRESQL)
    op.create_table(
        "setting",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("value", sa.JSON, nullable=False),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next", sa.Float, nullable=False),
        sa.Column("given_up", sa.Boolean, nullable=False),
    )


def _access() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password", sa.String(256)),
        sa.Column("subject", sa.String(256), unique=True),
        sa.Column("created", sa.Float, nullable=False),
    )
    op.create_table(
        "account_room",
        sa.Column("account", sa.Integer, _of("account"), primary_key=True),
        sa.Column("site", sa.String(32), primary_key=True),
        sa.Column("room", sa.String(32), primary_key=True),
    )
    op.create_table(
        "link",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("secret", sa.String(64), nullable=False, unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("site", sa.String(32)),
        sa.Column("room", sa.String(32)),
        sa.Column("made_by", sa.String(64), nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
    )
    op.create_table(
        "session",
        sa.Column("secret", sa.String(64), primary_key=True),
        sa.Column("account", sa.Integer, _of("account")),
        sa.Column("link", sa.Integer, _of("link")),
        sa.Column("expires", sa.Float, nullable=False),
    )
    op.create_table(
        "token",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("secret", sa.String(64), nullable=False, unique=True),
        sa.Column("account", sa.Integer, _of("account"), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("scopes", sa.String(128), nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
    )


def _lessons() -> None:
    op.create_table(
        "lesson",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("site", sa.String(32), nullable=False),
        sa.Column("room", sa.String(32), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("teacher", sa.String(64)),
        sa.Column("start", sa.Float, nullable=False),
        sa.Column("end", sa.Float),
        sa.Column("planned_end", sa.Float),
        sa.Column("how", sa.String(16), nullable=False),
        sa.Column("notes", sa.Text, nullable=False, server_default=""),
        sa.Column("code", sa.String(8), unique=True),
        sa.Column("summary", sa.JSON),
        sa.UniqueConstraint("site", "room", "start"),
    )
    op.create_index("lesson_by_end", "lesson", ["end"])
    op.create_table(
        "marker",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("lesson", sa.Integer, _of("lesson"), nullable=False, index=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("text", sa.String(120), nullable=False),
    )
    op.create_table(
        "checkin",
        sa.Column("lesson", sa.Integer, _of("lesson"), primary_key=True),
        sa.Column("round", sa.Integer, primary_key=True),
        sa.Column("answer", sa.String(16), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )


def _of(table: str) -> sa.ForeignKey:
    return sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
