"""Run by Alembic: migrates over the connection that `serving.store.migrate` hands it."""

from __future__ import annotations

from alembic import context

from serving.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
