"""What Alembic runs: migrates over the connection that `exchange.store.migrating` hands in."""

from alembic import context

given = context.config.attributes
context.configure(connection=given["connection"], version_table=given["version"])
with context.begin_transaction():
    context.run_migrations()
