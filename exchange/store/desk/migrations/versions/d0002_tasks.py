"""Operators' tasks, their items and what was done to them."""

import sqlalchemy as sa
from alembic import op

revision = "d0002"
down_revision = "d0001"


def upgrade() -> None:
    """Create the tables and their indexes."""
    op.create_table(
        "tasks",
        sa.Column("id", sa.Text, primary_key=True),
        *_texts("kind", "wanted", "person", "second", "reason"),
        *_counts("rate", "sample", "share", "count", "repeats"),
        *_texts("state", "code", "begins"),
        *_times("created", "started", "ended"),
    )
    op.create_index("tasks_by_time", "tasks", ["created"])
    op.create_index("tasks_by_state", "tasks", ["state"])
    op.create_table(
        "task_items",
        *_key(),
        sa.Column("letter", sa.LargeBinary(32), nullable=False),
        *_times("place"),
        *_texts("sender", "recipient", "was", "stage", "state", "code"),
        *_times("said"),
        sqlite_with_rowid=False,
    )
    op.create_index("task_items_by_state", "task_items", ["task", "stage", "state"])
    op.create_index("task_items_by_letter", "task_items", ["task", "place", "recipient"], unique=True)
    op.create_table(
        "task_acts",
        *_key(),
        *_texts("act", "person", "detail"),
        *_times("at"),
        *_counts("said"),
        sqlite_with_rowid=False,
    )
    op.create_index("task_acts_unsaid", "task_acts", ["said"])


def _key() -> list[sa.Column[str] | sa.Column[int]]:
    return [
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    ]


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _counts(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]


def _times(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]
