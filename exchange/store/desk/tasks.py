"""Operators' tasks kept and looked at; every function takes a connection of the desk.

What changes a task locks its row first, so of two acts at once the second sees what the first made of it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from exchange.domain.task import Plan, TaskAct, TaskRefused, TaskState, after
from exchange.store import bulk
from exchange.store.desk.items import Item
from exchange.store.desk.task_tables import task_acts, task_items, tasks
from exchange.store.rows import micros, moment

BEGINNINGS = frozenset({TaskAct.START, TaskAct.SUBMIT})
"""What its author does once, with a reason."""


@dataclass(frozen=True, slots=True)
class Going:
    """How fast a task goes, and what live letters say to it.

    Attributes:
        pace: letters a second; 0: it never went.
        working: seconds that the exchange lately took over a live letter while tasks worked; 0: nobody knows.
        quiet: the same while they were quiet.
    """

    pace: int = 0
    working: float = 0.0
    quiet: float = 0.0


@dataclass(frozen=True, slots=True)
class Task:
    """A task as it is.

    Attributes:
        kind: what it does, `redrive`.
        wanted: what its items were chosen by, as the page's address has it.
        person: login of its author.
        second: login of who approved it, else empty.
        reason: why, in the author's words; empty before it is started.
        count: its items.
        repeats: how many of these had been handed over before: they come to the recipient once more.
        code: why it stopped by itself, else empty.
        begins: how far the journal was known when it was let run, as `0:123,1:77`; what lies behind that are results.
        started: when it was let run; None before.
        ended: when it came to its last state; None before.
    """

    id: str
    kind: str
    wanted: str
    person: str
    second: str
    reason: str
    plan: Plan
    count: int
    repeats: int
    state: TaskState
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    code: str = ""
    begins: str = ""
    going: Going = Going()


@dataclass(frozen=True, slots=True)
class DoneAct:
    """Something that was done to a task; `person` is empty for what the task did itself."""

    number: int
    act: TaskAct
    person: str
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Words:
    """What goes with an act.

    Attributes:
        reason: of what begins a task: why; of other acts a remark.
        code: why it stops by itself.
        begins: of what lets it run: how far the journal is known.
        rate: of what begins a task: letters a second at most; 0: as it was previewed.
    """

    reason: str = ""
    code: str = ""
    begins: str = ""
    rate: int = 0


NO_WORDS = Words()


def create(connection: sa.Connection, task: Task, items: Sequence[Item]) -> Task:
    """Keep a previewed task with its items; the one that is there when the same was kept before.

    Raises:
        TaskRefused: `task-repeated`: another one with this id.
    """
    row = connection.execute(sa.select(tasks).where(tasks.c.id == task.id)).first()
    if row is not None:
        there = _task(row)
        if (there.person, there.wanted, there.plan) != (task.person, task.wanted, task.plan):
            message = "the idempotency key belongs to another task: choose a new key for a new task"
            raise TaskRefused(message, code="task-repeated")
        return there
    connection.execute(tasks.insert().values(_values(task)))
    bulk.insert(connection, task_items, items)
    return task


def get(connection: sa.Connection, task: str, *, lock: bool = False) -> Task:
    """A task by its id.

    Raises:
        TaskRefused: `task-unknown`.
    """
    query = sa.select(tasks).where(tasks.c.id == task)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        message = f"no task is called '{task[:64]}': look for it on the page of tasks"
        raise TaskRefused(message, code="task-unknown")
    return _task(row)


def listed(
    connection: sa.Connection, states: Collection[TaskState], before: tuple[datetime, str] | None, limit: int
) -> list[Task]:
    """Tasks, the youngest first.

    Args:
        connection: of the desk.
        states: in one of these.
        before: creation and id of the last one of the page before.
        limit: at most so many.
    """
    query = sa.select(tasks).where(tasks.c.state.in_([state.value for state in states]))
    if before is not None:
        created, last = micros(before[0]), before[1]
        query = query.where(sa.tuple_(tasks.c.created, tasks.c.id) < sa.tuple_(sa.literal(created), sa.literal(last)))
    rows = connection.execute(query.order_by(tasks.c.created.desc(), tasks.c.id.desc()).limit(limit))
    return [_task(row) for row in rows]


def act(
    connection: sa.Connection, task: str, what: TaskAct, person: str, at: datetime, *, said: Words = NO_WORDS
) -> Task:
    """Do something to a task, if its state allows it; the act waits to be said to the journal.

    Args:
        connection: in a transaction that writes.
        task: its id.
        what: the act.
        person: who; empty for the task itself.
        at: when.
        said: what goes with it.

    Raises:
        TaskRefused: `task-unknown`, `task-act-impossible`; nothing was written.
    """
    before = get(connection, task, lock=True)
    state = after(before.state, what)
    found = replace(before, state=state, code=said.code or before.code, begins=said.begins or before.begins)
    if what in BEGINNINGS:
        found = replace(found, reason=said.reason, plan=replace(found.plan, rate=said.rate or found.plan.rate))
    if what is TaskAct.APPROVE:
        found = replace(found, second=person)
    if what in {TaskAct.START, TaskAct.APPROVE}:
        found = replace(found, started=at)
    if state.is_last:
        found = replace(found, ended=at)
    connection.execute(tasks.update().where(tasks.c.id == task).values(_values(found)))
    detail = f"{found.count} items: {found.wanted}" if what in BEGINNINGS else said.code or said.reason
    number = sa.select(sa.func.count()).where(task_acts.c.task == task).scalar_subquery()
    connection.execute(
        task_acts.insert().values(
            task=task, number=number, act=what.value, person=person, detail=detail, at=micros(at), said=0
        )
    )
    return found


def acts(connection: sa.Connection, task: str, *, unsaid: bool = False) -> list[DoneAct]:
    """What was done to a task, in order; all, or what was not yet said to the journal."""
    query = sa.select(task_acts).where(task_acts.c.task == task).order_by(task_acts.c.number)
    if unsaid:
        query = query.where(task_acts.c.said == 0)
    rows = connection.execute(query)
    return [DoneAct(row.number, TaskAct(row.act), row.person, row.detail, moment(row.at)) for row in rows]


def acts_said(connection: sa.Connection, task: str, up_to: int) -> None:
    """Acts up to this number are durable on their way to the journal."""
    said = task_acts.update().where(task_acts.c.task == task, task_acts.c.number <= up_to)
    connection.execute(said.values(said=1))


def goes(connection: sa.Connection, task: str, going: Going) -> None:
    """Note how fast a task goes."""
    connection.execute(tasks.update().where(tasks.c.id == task).values(_going(going)))


class AtWork(NamedTuple):
    """A task that may have something to do; `is_over`: only results to hear of."""

    task: str
    is_over: bool


def at_work(connection: sa.Connection, since: datetime) -> list[AtWork]:
    """Tasks that may have something to do: acts to say, items to say, or results to hear of.

    Args:
        connection: of the desk.
        since: tasks that ended before are over, whatever their items still wait for.
    """
    unsaid = tasks.c.id.in_(sa.select(task_acts.c.task).where(task_acts.c.said == 0))
    going = sa.or_(tasks.c.state.in_([TaskState.RUNNING.value, TaskState.PAUSED.value]), unsaid)
    ended = sa.and_(tasks.c.started > 0, tasks.c.ended >= micros(since))
    query = sa.select(tasks.c.id, going).where(sa.or_(going, ended)).order_by(tasks.c.created, tasks.c.id)
    return [AtWork(task, not is_going) for task, is_going in connection.execute(query)]


def running(connection: sa.Connection) -> int:
    """How many tasks run; those that are paused do not."""
    query = sa.select(sa.func.count()).select_from(tasks).where(tasks.c.state == TaskState.RUNNING.value)
    return int(connection.execute(query).scalar_one())


def has_old_previews(connection: sa.Connection, before: datetime) -> bool:
    """Whether there is something for `forget_previews`."""
    return connection.execute(sa.select(tasks.c.id).where(*_old_previews(before)).limit(1)).first() is not None


def forget_previews(connection: sa.Connection, before: datetime) -> int:
    """Drop tasks that were previewed before then and never begun; how many."""
    old = sa.select(tasks.c.id).where(*_old_previews(before))
    connection.execute(task_items.delete().where(task_items.c.task.in_(old)))
    return int(connection.execute(tasks.delete().where(*_old_previews(before))).rowcount)


def _old_previews(before: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return tasks.c.state == TaskState.PREVIEWED.value, tasks.c.created < micros(before)


def _values(task: Task) -> Mapping[str, object]:
    return {
        "id": task.id,
        "kind": task.kind,
        "wanted": task.wanted,
        "person": task.person,
        "second": task.second,
        "reason": task.reason,
        "rate": task.plan.rate,
        "sample": task.plan.sample,
        "share": task.plan.share,
        "count": task.count,
        "repeats": task.repeats,
        "state": task.state.value,
        "code": task.code,
        "begins": task.begins,
        "created": micros(task.created),
        "started": _micros(task.started),
        "ended": _micros(task.ended),
        **_going(task.going),
    }


def _going(going: Going) -> dict[str, object]:
    return {"pace": going.pace, "working": round(going.working * 1e6), "quiet": round(going.quiet * 1e6)}


def _task(row: sa.Row[tuple[object, ...]]) -> Task:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    plan = Plan(values["rate"], values["sample"], values["share"])
    return Task(
        id=values["id"],
        kind=values["kind"],
        wanted=values["wanted"],
        person=values["person"],
        second=values["second"],
        reason=values["reason"],
        plan=plan,
        count=values["count"],
        repeats=values["repeats"],
        state=TaskState(values["state"]),
        code=values["code"],
        begins=values["begins"],
        created=moment(values["created"]),
        started=_moment(values["started"]),
        ended=_moment(values["ended"]),
        going=Going(values["pace"], values["working"] / 1e6, values["quiet"] / 1e6),
    )


def _micros(at: datetime | None) -> int:
    return 0 if at is None else micros(at)


def _moment(value: int) -> datetime | None:
    return moment(value) if value else None
