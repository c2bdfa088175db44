"""Deliveries of a body are found by their state, too: other indexes, which are built beside the work."""

revision = "0005.0004"
down_revision = "0004.0003"


def upgrade() -> None:
    """Add nothing: what the schema declares is built after this (`exchange.store.migrating`)."""
