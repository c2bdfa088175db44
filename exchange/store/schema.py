"""The tracker's tables.

All columns are bytes, text or whole numbers, so that rows are the same in SQLite and PostgreSQL, sort
the same, and no driver converts anything on the hot path. Times are microseconds since 1970 UTC,
calendar dates ISO 8601 text; empty text means "not said". Migrations state the same tables again,
fixed for ever; a test compares them.

    letters     one per letter that was accepted or refused
    facts       what happened, one per journal record; an empty recipient means every delivery
    deliveries  what the facts of a (letter, recipient) come to: their fold, kept for lists and counts
    flags       records that stand out: set aside, contradicted, refused
    positions   how far the journal was taken, per partition
"""

import sqlalchemy as sa

metadata = sa.MetaData()

Digest = sa.LargeBinary(32)
Micros = sa.BigInteger
Code = sa.Text

letters = sa.Table(
    "letters",
    metadata,
    sa.Column("letter", Digest, primary_key=True),
    sa.Column("partition", sa.Integer, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("sender", Code, nullable=False),
    sa.Column("message_id", sa.Text, nullable=False),
    sa.Column("consignment_id", sa.Text, nullable=False),
    sa.Column("kind", Code, nullable=False),
    sa.Column("urgency", Code, nullable=False),
    sa.Column("access", Code, nullable=False),
    sa.Column("conversation", sa.Text, nullable=False),
    sa.Column("in_reply_to", Digest, nullable=True),
    sa.Column("reply_due", sa.Text, nullable=False),
    sa.Column("document_id", sa.Text, nullable=False),
    sa.Column("reg_number", sa.Text, nullable=False),
    sa.Column("reg_date", sa.Text, nullable=False),
    sa.Column("items", sa.Integer, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("created", Micros, nullable=False),
    sa.Column("arrived", Micros, nullable=False),
    sa.Column("decided", Micros, nullable=False),
    sa.Column("journalled", Micros, nullable=False),
    sa.Column("reason", Code, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Index("letters_by_message", "message_id"),
    sa.Index("letters_by_document", "document_id"),
    sa.Index("letters_by_number", "reg_number"),
    sa.Index("letters_by_time", "journalled"),
)

facts = sa.Table(
    "facts",
    metadata,
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("letter", Digest, nullable=False),
    sa.Column("recipient", Code, nullable=False),
    sa.Column("event", Code, nullable=False),
    sa.Column("at", Micros, nullable=False),
    sa.Column("arrived", Micros, nullable=False),
    sa.Column("journalled", Micros, nullable=False),
    sa.Column("reason", Code, nullable=False),
    sa.Column("reg_number", sa.Text, nullable=False),
    sa.Column("reg_date", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Index("facts_by_letter", "letter"),
    sqlite_with_rowid=False,
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("letter", Digest, primary_key=True),
    sa.Column("recipient", Code, primary_key=True),
    sa.Column("sender", Code, nullable=False),
    sa.Column("state", Code, nullable=False),
    sa.Column("since", Micros, nullable=False),
    sa.Column("next", Code, nullable=False),
    sa.Column("reason", Code, nullable=False),
    sa.Column("reg_number", sa.Text, nullable=False),
    sa.Column("reg_date", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("journalled", Micros, nullable=False),
    sa.Index("deliveries_by_state", "state", "recipient", "journalled"),
    sa.Index("deliveries_by_recipient", "recipient", "journalled"),
    sa.Index("deliveries_by_sender", "sender", "journalled"),
    # Most deliveries have no number yet: they stay out of this one.
    sa.Index(
        "deliveries_by_number",
        "reg_number",
        sqlite_where=sa.text("reg_number <> ''"),
        postgresql_where=sa.text("reg_number <> ''"),
    ),
    sqlite_with_rowid=False,
)

flags = sa.Table(
    "flags",
    metadata,
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("code", Code, nullable=False),
    sa.Column("body", Code, nullable=False),
    sa.Column("about", sa.LargeBinary, nullable=False),
    sa.Column("journalled", Micros, nullable=False),
    sa.Column("reason", Code, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Index("flags_by_letter", "about"),
    sqlite_with_rowid=False,
)

positions = sa.Table(
    "positions",
    metadata,
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("digest", Digest, nullable=False),
)
