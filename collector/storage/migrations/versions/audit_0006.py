"""Old entries of the audit log may go, once a newer one says which."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

SQLITE = """CREATE TRIGGER audit_keeps_DELETE BEFORE DELETE ON audit
WHEN OLD.number > COALESCE(
    (SELECT CAST(value AS INTEGER) FROM setting WHERE key = 'audit.pruned'), 0)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"""

POSTGRESQL = (
    "DROP TRIGGER audit_keeps ON audit",
    """CREATE TRIGGER audit_keeps BEFORE UPDATE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()""",
    """CREATE FUNCTION audit_refuses_newer() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN
IF OLD.number > COALESCE(
    (SELECT (value #>> '{}')::integer FROM setting WHERE key = 'audit.pruned'), 0)
THEN RAISE EXCEPTION 'the audit log is append-only'; END IF;
RETURN OLD; END$$""",
    """CREATE TRIGGER audit_keeps_newer BEFORE DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION audit_refuses_newer()""",
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_keeps_DELETE")
        op.execute(SQLITE)
        return
    for statement in POSTGRESQL:
        op.execute(statement)
