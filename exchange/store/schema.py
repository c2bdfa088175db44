"""The tracker's tables.

All columns are bytes, text or whole numbers, so that rows are the same in SQLite and PostgreSQL, sort
the same, and no driver converts anything on the hot path. Times are microseconds since 1970 UTC,
calendar dates ISO 8601 text; empty text means "not said". Migrations state the same tables again,
fixed for ever; a test compares them.

    letters     one per letter that was accepted or refused
    facts       what happened, one per journal record; an empty recipient means every delivery
    deliveries  what the facts of a (letter, recipient) come to: their fold
    flags       records that stand out: set aside, contradicted, refused
    positions   how far the journal was taken, per partition

A row's key is its `place`: where in the journal the record stands, as one number. So what is new lies
together at the end, and what a batch touches are few pages, however long the history is. Only the one
index by digest is touched all over. An index on a column that changes is paid with each fact: there
is one, by state.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

Digest = sa.LargeBinary(32)
Place = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # so it is SQLite's own key, the row id
Micros = sa.BigInteger
Code = sa.Text

letters = sa.Table(
    "letters",
    metadata,
    sa.Column("place", Place, primary_key=True, autoincrement=False),
    sa.Column("digest", Digest, nullable=False),
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
    sa.Index("letters_by_digest", "digest", unique=True),
    sa.Index("letters_by_message", "message_id"),
    sa.Index("letters_by_document", "document_id"),
    sa.Index("letters_by_number", "reg_number"),
    sa.Index("letters_by_sender", "sender", "journalled"),
    sa.Index("letters_by_time", "journalled"),
)

# Most facts bring no number: they stay out of that index.
_NUMBERED = sa.text("reg_number <> ''")

facts = sa.Table(
    "facts",
    metadata,
    sa.Column("place", Place, primary_key=True, autoincrement=False),
    sa.Column("letter", Place, nullable=False),
    sa.Column("recipient", Code, nullable=False),
    sa.Column("event", Code, nullable=False),
    sa.Column("at", Micros, nullable=False),
    sa.Column("journalled", Micros, nullable=False),
    sa.Column("reason", Code, nullable=False),
    sa.Column("reg_number", sa.Text, nullable=False),
    sa.Column("reg_date", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Index("facts_by_letter", "letter"),
    sa.Index("facts_by_number", "reg_number", sqlite_where=_NUMBERED, postgresql_where=_NUMBERED),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("letter", Place, primary_key=True, autoincrement=False),
    sa.Column("recipient", Code, primary_key=True),
    sa.Column("journalled", Micros, nullable=False),
    sa.Column("state", Code, nullable=False),
    sa.Column("since", Micros, nullable=False),
    sa.Column("next", Code, nullable=False),
    sa.Column("reason", Code, nullable=False),
    sa.Column("reg_number", sa.Text, nullable=False),
    sa.Column("reg_date", sa.Text, nullable=False),
    sa.Column("decided", Code, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Index("deliveries_by_state", "state", "journalled"),
    sa.Index("deliveries_by_recipient", "recipient", "journalled"),
    sqlite_with_rowid=False,
)

flags = sa.Table(
    "flags",
    metadata,
    sa.Column("place", Place, primary_key=True, autoincrement=False),
    sa.Column("code", Code, nullable=False),
    sa.Column("body", Code, nullable=False),
    sa.Column("about", sa.LargeBinary, nullable=False),
    sa.Column("journalled", Micros, nullable=False),
    sa.Column("reason", Code, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Index("flags_by_letter", "about"),
)

positions = sa.Table(
    "positions",
    metadata,
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("digest", Digest, nullable=False),
)
