"""Alembic's entry: runs migrations on the connection that `run` hands over."""

from __future__ import annotations

from alembic import context

from models.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
