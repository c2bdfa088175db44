"""Alembic migrations of the console's own tables, run by `exchange.store.opening`."""
