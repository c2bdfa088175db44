"""Items of tasks kept and looked at; every function takes a connection of the desk."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from exchange.domain.task import OPEN, UNDER_WAY, ItemState, Stage, Tally
from exchange.store import bulk
from exchange.store.bulk import is_postgresql
from exchange.store.desk.task_tables import task_items, tasks

_OVERLAP_LOCK = 4_711_002
"""Number of the advisory lock; the tables of one database are one desk's."""


class Item(NamedTuple):
    """A row of `task_items`; `was` is the delivery's state when the task was previewed."""

    task: str
    number: int
    letter: bytes
    place: int
    sender: str
    recipient: str
    was: str
    stage: str
    state: str
    code: str = ""
    said: int = 0


def listed(connection: sa.Connection, task: str, states: Collection[ItemState], first: int, limit: int) -> list[Item]:
    """Items of a task in these states, by number from `first` on."""
    query = sa.select(task_items).where(
        task_items.c.task == task,
        task_items.c.number >= first,
        task_items.c.state.in_([state.value for state in states]),
    )
    return [Item(*row) for row in connection.execute(query.order_by(task_items.c.number).limit(limit))]


def awaited(connection: sa.Connection, task: str, states: Collection[ItemState], first: int, limit: int) -> list[Item]:
    """`listed` for states in which few of a task's items are: not all of them are looked at.

    SQLite would go by number; the index of states has the few numbers, given every column before them.
    """
    few = sa.select(task_items.c.number).where(
        task_items.c.task == task,
        task_items.c.stage.in_([stage.value for stage in Stage]),
        task_items.c.state.in_([state.value for state in states]),
        task_items.c.number >= first,
    )
    query = sa.select(task_items).where(task_items.c.task == task, task_items.c.number.in_(few))
    return [Item(*row) for row in connection.execute(query.order_by(task_items.c.number).limit(limit))]


def sample(connection: sa.Connection, task: str) -> list[Item]:
    """The items that come first."""
    query = sa.select(task_items).where(task_items.c.task == task, task_items.c.stage == Stage.SAMPLE.value)
    return [Item(*row) for row in connection.execute(query.order_by(task_items.c.number))]


def recipients(connection: sa.Connection, task: str) -> list[str]:
    """The bodies to which a task's letters go."""
    query = sa.select(task_items.c.recipient).where(task_items.c.task == task).distinct()
    return [recipient for (recipient,) in connection.execute(query.order_by(task_items.c.recipient))]


def overlapping(connection: sa.Connection, task: str) -> tuple[str, int] | None:
    """Another task that is under way with letters of this one that came to no result yet, and how many; None: none is.

    In a transaction that writes: until it ends nobody else learns that nothing overlaps.
    """
    if is_postgresql(connection):  # SQLite has one writer
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_OVERLAP_LOCK})")
    other = task_items.alias("other")
    query = (
        sa.select(other.c.task, sa.func.count())
        .select_from(task_items)
        .join(other, sa.and_(other.c.place == task_items.c.place, other.c.recipient == task_items.c.recipient))
        .join(tasks, tasks.c.id == other.c.task)
        .where(
            task_items.c.task == task,
            other.c.task != task,
            tasks.c.state.in_([state.value for state in UNDER_WAY]),
            other.c.state.in_([state.value for state in OPEN]),
        )
        .group_by(other.c.task)
        .order_by(other.c.task)
    )
    row = connection.execute(query.limit(1)).first()
    return None if row is None else (row[0], row[1])


def next_of(connection: sa.Connection, task: str, stage: Stage, limit: int) -> list[Item]:
    """Items of a stage that were not said yet."""
    query = sa.select(task_items).where(
        task_items.c.task == task, task_items.c.stage == stage.value, task_items.c.state == ItemState.WAITING.value
    )
    return [Item(*row) for row in connection.execute(query.order_by(task_items.c.number).limit(limit))]


def change(connection: sa.Connection, changed: Sequence[Item]) -> None:
    """Write what items of running tasks came to; each is there already."""
    bulk.update(
        connection,
        task_items,
        changed,
        fixed=("letter", "place", "sender", "recipient", "was", "stage"),
    )


def tallies(connection: sa.Connection, ids: Collection[str]) -> dict[str, Tally]:
    """How many items of each task are in which stage and state."""
    found: dict[str, dict[Stage, dict[ItemState, int]]] = {task: {} for task in ids}
    columns = (task_items.c.task, task_items.c.stage, task_items.c.state)
    query = sa.select(*columns, sa.func.count()).where(task_items.c.task.in_(ids)).group_by(*columns)
    for task, stage, state, number in connection.execute(query):
        found[task].setdefault(Stage(stage), {})[ItemState(state)] = number
    return dict(found)


def said_since(connection: sa.Connection, task: str, since: int) -> int:
    """How many items of a task were said then or later; microseconds since 1970."""
    query = sa.select(sa.func.count()).where(task_items.c.task == task, task_items.c.said >= since)
    return int(connection.execute(query).scalar_one())


def last_said(connection: sa.Connection, task: str) -> int:
    """When the last item of a task was said, microseconds since 1970; 0: none was."""
    query = sa.select(sa.func.max(task_items.c.said)).where(task_items.c.task == task)
    return int(connection.execute(query).scalar_one() or 0)
