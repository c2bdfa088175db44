"""Keys are places in the journal, not digests; what a delivery's facts came to can be gone on from.

The tables are made anew: the tracker fills them again from the journal's beginning.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_DIGEST = sa.LargeBinary(32)
_TABLES = ("positions", "flags", "deliveries", "facts", "letters")


def upgrade() -> None:
    """Drop the tables of 0001, create these and their indexes."""
    for table in _TABLES:
        op.drop_table(table)
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
        _place("place", primary_key=True),
        sa.Column("digest", _DIGEST, nullable=False),
        *_texts("sender", "message_id", "consignment_id", "kind", "urgency", "access", "conversation"),
        sa.Column("in_reply_to", _DIGEST, nullable=True),
        *_texts("reply_due", "document_id", "reg_number", "reg_date"),
        sa.Column("items", sa.Integer, nullable=False),
        *_numbers("size", "created", "arrived", "decided", "journalled"),
        *_texts("reason", "detail"),
    )
    op.create_index("letters_by_digest", "letters", ["digest"], unique=True)
    op.create_index("letters_by_message", "letters", ["message_id"])
    op.create_index("letters_by_document", "letters", ["document_id"])
    op.create_index("letters_by_number", "letters", ["reg_number"])
    op.create_index("letters_by_sender", "letters", ["sender", "journalled"])
    op.create_index("letters_by_time", "letters", ["journalled"])


def _facts() -> None:
    op.create_table(
        "facts",
        _place("place", primary_key=True),
        _place("letter"),
        *_texts("recipient", "event"),
        *_numbers("at", "journalled"),
        *_texts("reason", "reg_number", "reg_date", "text"),
    )
    op.create_index("facts_by_letter", "facts", ["letter"])
    numbered = sa.text("reg_number <> ''")
    op.create_index("facts_by_number", "facts", ["reg_number"], sqlite_where=numbered, postgresql_where=numbered)


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        _place("letter", primary_key=True),
        sa.Column("recipient", sa.Text, primary_key=True),
        *_numbers("journalled"),
        *_texts("state"),
        *_numbers("since"),
        *_texts("next", "reason", "reg_number", "reg_date", "decided", "text"),
        sqlite_with_rowid=False,
    )
    op.create_index("deliveries_by_state", "deliveries", ["state", "journalled"])
    op.create_index("deliveries_by_recipient", "deliveries", ["recipient", "journalled"])


def _flags() -> None:
    op.create_table(
        "flags",
        _place("place", primary_key=True),
        *_texts("code", "body"),
        sa.Column("about", sa.LargeBinary, nullable=False),
        *_numbers("journalled"),
        *_texts("reason", "detail"),
    )
    op.create_index("flags_by_letter", "flags", ["about"])


def _place(name: str, *, primary_key: bool = False) -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column(name, kind, primary_key=primary_key, autoincrement=False, nullable=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]
