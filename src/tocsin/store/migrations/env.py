"""Alembic's entry: migrations run on the connection they are handed, inside its transaction."""

from __future__ import annotations

from alembic import context

from tocsin.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
