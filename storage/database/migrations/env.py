"""Runs migrations over the connection that `storage.database.migrate` hands in."""

from alembic import context

from storage.database.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,  # we begin transactions ourselves, so SQLite can roll DDL back
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
