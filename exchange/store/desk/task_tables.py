"""Tables of operators' tasks, in the same style as those of `exchange.store.desk.schema`.

    tasks        one per task that somebody previewed
    task_items   its (letter, recipient) pairs, fixed when it was previewed
    task_acts    what people and the task itself did to it; said to the journal in this order

An item's `place` is its letter's in the journal. A task's `begins` is how far the tracker had come in each partition
when it was let run: what the tracker knows of an item's delivery beyond that is the item's result. `pace`, `working`
and `quiet` are how fast it goes and what live letters wait, `exchange.services.tasks.throttle`.
"""

import sqlalchemy as sa

from exchange.store.desk.schema import Code, Digest, Micros, metadata

tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", Code, nullable=False),
    sa.Column("wanted", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("second", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("rate", sa.Integer, nullable=False),
    sa.Column("sample", sa.Integer, nullable=False),
    sa.Column("share", sa.Integer, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("repeats", sa.Integer, nullable=False),
    sa.Column("state", Code, nullable=False),
    sa.Column("code", Code, nullable=False),
    sa.Column("begins", sa.Text, nullable=False),
    sa.Column("created", Micros, nullable=False),
    sa.Column("started", Micros, nullable=False),
    sa.Column("ended", Micros, nullable=False),
    sa.Column("pace", sa.Integer, nullable=False, server_default="0"),
    sa.Column("working", Micros, nullable=False, server_default="0"),
    sa.Column("quiet", Micros, nullable=False, server_default="0"),
    sa.Index("tasks_by_time", "created"),
    sa.Index("tasks_by_state", "state"),
)

task_items = sa.Table(
    "task_items",
    metadata,
    sa.Column("task", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("letter", Digest, nullable=False),
    sa.Column("place", sa.BigInteger, nullable=False),
    sa.Column("sender", Code, nullable=False),
    sa.Column("recipient", Code, nullable=False),
    sa.Column("was", Code, nullable=False),
    sa.Column("stage", Code, nullable=False),
    sa.Column("state", Code, nullable=False),
    sa.Column("code", Code, nullable=False),
    sa.Column("said", Micros, nullable=False),
    sa.Index("task_items_by_state", "task", "stage", "state"),
    sa.Index("task_items_by_letter", "task", "place", "recipient", unique=True),
    sqlite_with_rowid=False,
)

task_acts = sa.Table(
    "task_acts",
    metadata,
    sa.Column("task", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("act", Code, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("at", Micros, nullable=False),
    sa.Column("said", sa.Integer, nullable=False),
    sa.Index("task_acts_unsaid", "said"),
    sqlite_with_rowid=False,
)
