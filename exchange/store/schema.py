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
    lanes       how far each lane had come by then (rule 4.3), per partition
    terms       by which deadlines the deliveries of a partition were reckoned
    overran     stages that ended, but after their time, while nobody had said so
    acts        what operators did and looked at
    spoken      the last word of each body, to the minute, per partition

A row's key is its `place`: where in the journal the record stands, as one number, partition by partition.
So what is new lies together at each partition's end, and what a batch touches are few pages, however long
the history is. Only the one index by digest is touched all over. PostgreSQL pays each index of `deliveries`
with each fact: those of all rows are by state and by recipient, the others are of the few rows that they are
asked for.
"""

from typing import cast

import sqlalchemy as sa

metadata = sa.MetaData()

Digest = sa.LargeBinary(32)
Place = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # so it is SQLite's own key, the row id
Micros = sa.BigInteger
Code = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Ordered by its bytes, whatever the database's language: as in SQLite, and compared sooner."""


def _condition(text: str) -> sa.ColumnElement[bool]:
    return cast("sa.ColumnElement[bool]", sa.text(text))


_FAILING = "next IN ('sender', 'operator')"
_OF_AWAITED = ("letter", "recipient", "state", "stage", "overdue", "sender", "journalled")
_AWAITED = "(due <> 0 OR stage IN ('deliver', 'hand-over', 'register'))"

# As the partial indexes have them, word for word: only then a database sees that these indexes hold all that is asked.
FAILING = _condition(_FAILING)
"""Somebody must set it right: the sender, or an operator."""
AWAITED = _condition(_AWAITED)
"""Something has to come yet; an answer only where it was asked for by a day."""
SETTLED = _condition("(due = 0 AND stage NOT IN ('deliver', 'hand-over', 'register'))")
"""Nothing more is awaited."""
SOUND = _condition("next NOT IN ('sender', 'operator')")
"""Not failing."""


def _partial(name: str, *columns: str, where: str) -> sa.Index:
    """An index of the few rows that it is asked for: the others are not paid for."""
    return sa.Index(name, *columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


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
    _partial("letters_urgent", "sender", "journalled", where="urgency <> 'ROUTINE'"),
)


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
    _partial("facts_by_number", "reg_number", where="reg_number <> ''"),  # most facts bring none
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
    sa.Column("stage", Code, nullable=False),
    sa.Column("began", Micros, nullable=False),
    sa.Column("due", Micros, nullable=False),
    sa.Column("late", sa.Text, nullable=False),
    sa.Column("overdue", sa.Integer, nullable=False),
    sa.Column("sender", Code, nullable=False),
    sa.Column("delivered", Micros, nullable=False),
    sa.Column("registered", Micros, nullable=False),
    sa.Index("deliveries_by_state", "state", "journalled"),
    sa.Index("deliveries_by_recipient", "recipient", "journalled"),
    sa.Index("deliveries_by_sender", "sender", "journalled"),
    sa.Index("deliveries_of_recipient", "recipient", "state", "journalled"),
    sa.Index("deliveries_of_sender", "sender", "state", "journalled"),
    # Of each few pages the first and last time: nearly nothing to write, and enough to find a month.
    sa.Index("deliveries_by_time", "journalled", postgresql_using="brin", postgresql_with={"autosummarize": "on"}),
    # What was called late once is not looked for again.
    _partial("deliveries_by_due", "due", where="due <> 0 AND overdue = 0"),
    _partial("deliveries_overdue_since", "journalled", "stage", where="overdue <> 0"),
    _partial("deliveries_by_reason", "reason", "journalled", where="reason <> ''"),
    # All that is asked of many of these rows at once is in the index: the table itself is not looked at.
    _partial("deliveries_failed", "since", "state", "reason", "sender", "recipient", "letter", where=_FAILING),
    _partial("deliveries_awaited", "since", *_OF_AWAITED, where=_AWAITED),
    _partial("deliveries_late", "journalled", where="late <> ''"),
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
    sa.Index("flags_by_time", "journalled"),
)

positions = sa.Table(
    "positions",
    metadata,
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("digest", Digest, nullable=False),
)

lanes = sa.Table(
    "lanes",
    metadata,
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("lane", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("ticked", Micros, nullable=False),
    sa.Column("through", Micros, nullable=False),
)

terms = sa.Table(
    "terms",
    metadata,
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("digest", Digest, nullable=False),
)

overran = sa.Table(
    "overran",
    metadata,
    sa.Column("letter", Place, primary_key=True, autoincrement=False),
    sa.Column("recipient", Code, primary_key=True),
    sa.Column("stage", Code, primary_key=True),
    sa.Column("due", Micros, nullable=False),
    sa.Index("overran_by_due", "due"),
)

acts = sa.Table(
    "acts",
    metadata,
    sa.Column("place", Place, primary_key=True, autoincrement=False),
    sa.Column("statement", Digest, nullable=False),
    sa.Column("body", Code, nullable=False),
    sa.Column("action", Code, nullable=False),
    sa.Column("task", Code, nullable=False),
    sa.Column("person", Code, nullable=False),
    sa.Column("second", Code, nullable=False),
    sa.Column("reason", Code, nullable=False),
    sa.Column("detail", Code, nullable=False),
    sa.Column("letter", sa.LargeBinary, nullable=False),
    sa.Column("recipient", Code, nullable=False),
    sa.Column("said", Micros, nullable=False),
    sa.Column("journalled", Micros, nullable=False),
    sa.Index("acts_by_time", "journalled"),
    sa.Index("acts_by_person", "person", "journalled"),
    sa.Index("acts_by_letter", "letter", "journalled"),
    sa.Index("acts_by_task", "task", "journalled"),
)

spoken = sa.Table(
    "spoken",
    metadata,
    sa.Column("body", Code, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Micros, nullable=False),
)

derived = sa.MetaData()
"""Counted from the tables above, at any time: see `exchange.store.tallies`."""

BUCKETS = 10
"""Of each histogram."""


def _counts(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _histograms() -> list[sa.Column[int]]:
    return _counts(*(f"{name}{bucket}" for name in ("delivery", "registration") for bucket in range(BUCKETS)))


tallied = sa.Table(
    "tallied",
    derived,
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.BigInteger, nullable=False),
)

tally_days = sa.Table(
    "tally_days",
    derived,
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
    *_counts("volume", "late", "failed"),
)

tally_routes = sa.Table(
    "tally_routes",
    derived,
    sa.Column("month", Code, primary_key=True),
    sa.Column("sender", Code, primary_key=True),
    sa.Column("recipient", Code, primary_key=True),
    *_counts("volume", "late", "failed"),
    *_histograms(),
    sa.Index("tally_routes_by_volume", "month", "volume"),
    sa.Index("tally_routes_by_recipient", "recipient", "month"),
)

tally_services = sa.Table(
    "tally_services",
    derived,
    sa.Column("month", Code, primary_key=True),
    sa.Column("body", Code, primary_key=True),
    sa.Column("kind", Code, primary_key=True),
    *_counts("volume", "late", "failed"),
    *_counts("on_time", "late_deliver", "late_hand_over", "late_register", "late_reply"),
    *_histograms(),
)

# Of what was put away: see `exchange.store.putting_away`.
archive_files = sa.Table(
    "archive_files",
    derived,
    sa.Column("name", Code, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
)

archived = sa.Table(
    "archived",
    derived,
    sa.Column("place", Place, primary_key=True, autoincrement=False),
    sa.Column("digest", Digest, nullable=False),
    sa.Column("bodies", sa.Text, nullable=False),
    sa.Column("journalled", Micros, nullable=False),
    sa.Column("file", Code, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("put_away", Micros, nullable=False),
    sa.Index("archived_by_digest", "digest", unique=True),
)

archived_names = sa.Table(
    "archived_names",
    derived,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("place", Place, primary_key=True, autoincrement=False),
    sa.Index("archived_names_by_place", "place"),
)


def _put_away(tally: sa.Table) -> sa.Table:
    """As a tally, but of deliveries that were put away; without its indexes."""
    copy = tally.to_metadata(derived, name=tally.name.replace("tally", "archived"))
    copy.indexes.clear()
    return copy


archived_days = _put_away(tally_days)
archived_routes = _put_away(tally_routes)
archived_services = _put_away(tally_services)
