"""How fast a task goes, and what live letters wait meanwhile."""

import sqlalchemy as sa
from alembic import op

revision = "d0003"
down_revision = "d0002"


def upgrade() -> None:
    """Add the columns; of tasks from before nobody knows."""
    op.add_column("tasks", sa.Column("pace", sa.Integer, nullable=False, server_default="0"))
    op.add_column("tasks", sa.Column("working", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("tasks", sa.Column("quiet", sa.BigInteger, nullable=False, server_default="0"))
