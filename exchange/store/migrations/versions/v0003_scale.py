"""Deadlines, and tables for ten million deliveries: places by partition, what lists need, tallies, acts, who spoke.

The tables are made anew: the tracker fills them again from the journal's beginning.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_DIGEST = sa.LargeBinary(32)
_TABLES = ("positions", "flags", "deliveries", "facts", "letters")
_COUNTED = ("volume", "late", "failed")
_TIMES = tuple(f"{name}{bucket}" for name in ("delivery", "registration") for bucket in range(10))


def upgrade() -> None:
    """Drop the tables of 0002, create these and their indexes."""
    for table in _TABLES:
        op.drop_table(table)
    _letters()
    _facts()
    _deliveries()
    _flags()
    _acts()
    _per_partition()
    _overran()
    _tallies()


def _letters() -> None:
    op.create_table(
        "letters",
        _number("place", primary_key=True),
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
        _number("place", primary_key=True),
        _number("letter"),
        *_texts("recipient", "event"),
        *_numbers("at", "journalled"),
        *_texts("reason", "reg_number", "reg_date", "text"),
    )
    op.create_index("facts_by_letter", "facts", ["letter"])
    _partial("facts_by_number", "facts", ["reg_number"], "reg_number <> ''")


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        _number("letter", primary_key=True),
        _text("recipient", primary_key=True),
        *_numbers("journalled"),
        *_texts("state"),
        *_numbers("since"),
        *_texts("next", "reason", "reg_number", "reg_date", "decided", "text", "stage"),
        *_numbers("began", "due"),
        *_texts("late"),
        sa.Column("overdue", sa.Integer, nullable=False),
        *_texts("sender"),
        *_numbers("delivered", "registered"),
        sqlite_with_rowid=False,
    )
    op.create_index("deliveries_by_state", "deliveries", ["state", "journalled"])
    op.create_index("deliveries_by_recipient", "deliveries", ["recipient", "journalled"])
    op.create_index("deliveries_by_sender", "deliveries", ["sender", "journalled"])
    _partial("deliveries_by_due", "deliveries", ["due"], "due <> 0 AND overdue = 0")
    _partial("deliveries_overdue", "deliveries", ["stage", "due"], "overdue <> 0")
    _partial("deliveries_by_reason", "deliveries", ["reason", "journalled"], "reason <> ''")
    _partial("deliveries_failing", "deliveries", ["since"], "next IN ('sender', 'operator')")
    _partial(
        "deliveries_waiting", "deliveries", ["since"], "(due <> 0 OR stage IN ('deliver', 'hand-over', 'register'))"
    )
    _partial("deliveries_late", "deliveries", ["journalled"], "late <> ''")


def _flags() -> None:
    op.create_table(
        "flags",
        _number("place", primary_key=True),
        *_texts("code", "body"),
        sa.Column("about", sa.LargeBinary, nullable=False),
        *_numbers("journalled"),
        *_texts("reason", "detail"),
    )
    op.create_index("flags_by_letter", "flags", ["about"])
    op.create_index("flags_by_time", "flags", ["journalled"])


def _acts() -> None:
    op.create_table(
        "acts",
        _number("place", primary_key=True),
        sa.Column("statement", _DIGEST, nullable=False),
        *_texts("body", "action", "task", "person", "second", "reason", "detail"),
        sa.Column("letter", sa.LargeBinary, nullable=False),
        *_texts("recipient"),
        *_numbers("said", "journalled"),
    )
    op.create_index("acts_by_time", "acts", ["journalled"])
    op.create_index("acts_by_person", "acts", ["person", "journalled"])
    op.create_index("acts_by_letter", "acts", ["letter", "journalled"])
    op.create_index("acts_by_task", "acts", ["task", "journalled"])


def _per_partition() -> None:
    op.create_table(
        "positions",
        sa.Column("topic", sa.Text, primary_key=True),
        _partition(),
        *_numbers("position"),
        sa.Column("digest", _DIGEST, nullable=False),
    )
    op.create_table(
        "lanes",
        _partition(),
        sa.Column("lane", sa.Integer, primary_key=True, autoincrement=False),
        *_numbers("ticked", "through"),
    )
    op.create_table("terms", _partition(), sa.Column("digest", _DIGEST, nullable=False))
    op.create_table("spoken", _text("body", primary_key=True), _partition(), *_numbers("at"))
    op.create_table("tallied", _partition(), *_numbers("position"))


def _overran() -> None:
    key = (_number("letter", primary_key=True), _text("recipient", primary_key=True), _text("stage", primary_key=True))
    op.create_table("overran", *key, *_numbers("due"))
    op.create_index("overran_by_due", "overran", ["due"])


def _tallies() -> None:
    day = sa.Column("day", sa.Integer, primary_key=True, autoincrement=False)
    op.create_table("tally_days", day, *_numbers(*_COUNTED))
    op.create_table(
        "tally_routes",
        _text("month", primary_key=True),
        _text("sender", primary_key=True),
        _text("recipient", primary_key=True),
        *_numbers(*_COUNTED, *_TIMES),
    )
    op.create_index("tally_routes_by_volume", "tally_routes", ["month", "volume"])
    op.create_index("tally_routes_by_recipient", "tally_routes", ["recipient", "month"])
    op.create_table(
        "tally_services",
        _text("month", primary_key=True),
        _text("body", primary_key=True),
        _text("kind", primary_key=True),
        *_numbers(*_COUNTED),
        *_numbers("on_time", "late_deliver", "late_hand_over", "late_register", "late_reply"),
        *_numbers(*_TIMES),
    )


def _partial(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _partition() -> sa.Column[int]:
    return sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False)


def _number(name: str, *, primary_key: bool = False) -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column(name, kind, primary_key=primary_key, autoincrement=False, nullable=False)


def _text(name: str, *, primary_key: bool = False) -> sa.Column[str]:
    kind = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")  # ordered by bytes, as in SQLite, and sooner
    return sa.Column(name, kind, primary_key=primary_key, nullable=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [_text(name) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]
