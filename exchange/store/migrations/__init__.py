"""Alembic migrations of the tracker's tables, run by `exchange.store.opening`."""
