"""What Alembic runs: migrates over the connection that `exchange.store.database` hands in."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table="tracker_version")
with context.begin_transaction():
    context.run_migrations()
