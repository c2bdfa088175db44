"""The tracker's first tables: letters, facts, deliveries, flags, positions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_DIGEST = sa.LargeBinary(32)


def upgrade() -> None:
    """Create the tables and their indexes."""
    _letters()
    _facts()
    _deliveries()
    _flags()
    op.create_table(
        "positions",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("digest", _DIGEST, nullable=False),
    )


def _letters() -> None:
    op.create_table(
        "letters",
        sa.Column("letter", _DIGEST, primary_key=True),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        *_texts("sender", "message_id", "consignment_id", "kind", "urgency", "access", "conversation"),
        sa.Column("in_reply_to", _DIGEST, nullable=True),
        *_texts("reply_due", "document_id", "reg_number", "reg_date"),
        sa.Column("items", sa.Integer, nullable=False),
        *_numbers("size", "created", "arrived", "decided", "journalled"),
        *_texts("reason", "detail"),
    )
    op.create_index("letters_by_message", "letters", ["message_id"])
    op.create_index("letters_by_document", "letters", ["document_id"])
    op.create_index("letters_by_number", "letters", ["reg_number"])
    op.create_index("letters_by_time", "letters", ["journalled"])


def _facts() -> None:
    op.create_table(
        "facts",
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("letter", _DIGEST, nullable=False),
        *_texts("recipient", "event"),
        *_numbers("at", "arrived", "journalled"),
        *_texts("reason", "reg_number", "reg_date", "text"),
        sqlite_with_rowid=False,
    )
    op.create_index("facts_by_letter", "facts", ["letter"])


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("letter", _DIGEST, primary_key=True),
        sa.Column("recipient", sa.Text, primary_key=True),
        *_texts("sender", "state"),
        *_numbers("since"),
        *_texts("next", "reason", "reg_number", "reg_date", "text"),
        *_numbers("journalled"),
        sqlite_with_rowid=False,
    )
    op.create_index("deliveries_by_state", "deliveries", ["state", "recipient", "journalled"])
    op.create_index("deliveries_by_recipient", "deliveries", ["recipient", "journalled"])
    op.create_index("deliveries_by_sender", "deliveries", ["sender", "journalled"])
    registered = sa.text("reg_number <> ''")
    op.create_index(
        "deliveries_by_number", "deliveries", ["reg_number"], sqlite_where=registered, postgresql_where=registered
    )


def _flags() -> None:
    op.create_table(
        "flags",
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        *_texts("code", "body"),
        sa.Column("about", sa.LargeBinary, nullable=False),
        *_numbers("journalled"),
        *_texts("reason", "detail"),
        sqlite_with_rowid=False,
    )
    op.create_index("flags_by_letter", "flags", ["about"])


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]
