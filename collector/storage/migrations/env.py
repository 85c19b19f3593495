"""Alembic runs this: the connection comes from collector/storage/database.py, never from a file."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
