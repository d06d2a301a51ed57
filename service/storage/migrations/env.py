"""Alembic's entry: it runs this file. The connection, and its transaction, are the caller's."""

from __future__ import annotations

from alembic import context

from service.storage.tables.columns import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
