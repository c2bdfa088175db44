"""A body's urgent letters are found by themselves: another index, which is built beside the work."""

revision = "0006.0005"
down_revision = "0005.0004"


def upgrade() -> None:
    """Add nothing: what the schema declares is built after this (`exchange.store.migrating`)."""
