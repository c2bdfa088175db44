"""What people do to tasks: preview, begin, approve, pause, cancel; asked by API, pages and command line."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TypeVar

import sqlalchemy as sa

from exchange.bus.topics import JOURNAL
from exchange.domain.task import (
    REASON_CHARACTERS,
    ItemState,
    Plan,
    Standing,
    Tally,
    TaskAct,
    TaskRefused,
    TaskState,
    begin,
    require_right,
    standing,
)
from exchange.domain.user import Right, User
from exchange.journal.commands import REDRIVE
from exchange.services.tasks.choosing import Chosen, choose
from exchange.store import queries
from exchange.store.database import Store
from exchange.store.desk import items, tasks
from exchange.store.desk.database import DeskStore
from exchange.store.desk.items import Item
from exchange.store.desk.tasks import BEGINNINGS, DoneAct, Task, Words
from exchange.store.lists import DeliveryFilter
from exchange.store.queries.places import failed_since
from exchange.store.rows import micros

ID_CHARACTERS = 16
"""Of a task's id."""
KEY_CHARACTERS = range(8, 201)
WANTED_CHARACTERS = 900
"""It stands in the journal, where a command's detail has a bound."""
REMARK_CHARACTERS = 500
LATELY = timedelta(minutes=1)
"""Of which the pace of a running task is told."""

Result = TypeVar("Result")
BEGUN = tuple(state for state in TaskState if state is not TaskState.PREVIEWED)
_LETS_RUN = {TaskAct.START, TaskAct.APPROVE}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a preview is asked for.

    Attributes:
        wanted: a filter, or letters one by one.
        words: the same as the page's address or the command line has it, for people.
        key: idempotency key: the same person's same key is the same task.
    """

    wanted: DeliveryFilter | Collection[Chosen]
    words: str
    plan: Plan
    key: str


@dataclass(frozen=True, slots=True)
class Preview:
    """A task as it would run.

    Attributes:
        sample: the items that come first.
        left_out: how many match that cannot be set going.
        act: what beginning it means: `start`, or `submit` to a second person.
    """

    task: Task
    sample: tuple[Item, ...]
    left_out: int
    act: TaskAct


@dataclass(frozen=True, slots=True)
class Told:
    """A task with how far it came.

    Attributes:
        new_failures: deliveries to the same bodies that failed since it was let run.
        said_lately: items said within `LATELY`, of a task that runs.
    """

    task: Task
    tally: Tally
    standing: Standing
    new_failures: int = 0
    said_lately: int = 0

    @property
    def counts(self) -> Mapping[ItemState, int]:
        """How many items are in each state."""
        return {state: sum(stage.get(state, 0) for stage in self.tally.values()) for state in ItemState}

    @property
    def results(self) -> int:
        """How many items came to a result."""
        return sum(number for state, number in self.counts.items() if state.is_result)


@dataclass(frozen=True, slots=True)
class Story:
    """A task with all that was done to it."""

    told: Told
    acts: tuple[DoneAct, ...]
    sample: tuple[Item, ...]


class TaskOffice:
    """Keeps tasks at the desk; what it lets run, the runner does. Safe to use from any number of requests."""

    def __init__(self, desk: DeskStore, tracker: Store, now: Callable[[], datetime]) -> None:
        """Nothing is read yet.

        Args:
            desk: where tasks are kept.
            tracker: where deliveries are looked up.
            now: the clock.
        """
        self._desk = desk
        self._tracker = tracker
        self._now = now

    async def preview(self, user: User, asked: Asked) -> Preview:
        """Fix the exact list of a task, and show what it would do; nothing is set going.

        Raises:
            TaskRefused: `task-right-missing`, `task-invalid`, `task-empty`, `task-too-large`, `task-repeated`.
            StoreError: a database is away.
        """
        require_right(user, TaskAct.START, user.login)
        if len(asked.key) not in KEY_CHARACTERS:
            message = f"Idempotency-Key: give {KEY_CHARACTERS.start} to {KEY_CHARACTERS.stop - 1} characters"
            raise TaskRefused(message)
        return await asyncio.to_thread(self._preview, user, asked)

    async def begin(self, user: User, task: str, reason: str, rate: int = 0) -> Task:
        """Let a previewed task of one's own run, or submit it to a second person when it is large.

        Args:
            user: who.
            task: its id.
            reason: why.
            rate: letters a second at most; 0: as previewed.

        Raises:
            TaskRefused: `task-unknown`, `task-right-missing`, `task-invalid`, `task-act-impossible`,
                `task-overlaps`.
        """
        reason = reason.strip()
        if len(reason) not in REASON_CHARACTERS:
            bounds = f"{REASON_CHARACTERS.start} to {REASON_CHARACTERS.stop - 1}"
            message = f"reason: say in {bounds} characters why; it stands in the journal"
            raise TaskRefused(message)
        found = (await self.story(user, task)).told.task
        if found.person != user.login:
            message = f"'{found.person}' previewed this task: preview your own"
            raise TaskRefused(message, code="task-right-missing")
        return await asyncio.to_thread(self._act, user, task, begin(found.count), Words(reason, rate=rate))

    async def act(self, user: User, task: str, act: TaskAct, remark: str = "") -> Task:
        """Approve, pause, resume or cancel a task.

        Args:
            user: who.
            task: its id.
            act: what.
            remark: of what begins it: the reason; else anything or nothing.

        Raises:
            TaskRefused: `task-unknown`, `task-right-missing`, `task-second-person`, `task-act-impossible`.
        """
        return await asyncio.to_thread(self._act, user, task, act, Words(remark[:REMARK_CHARACTERS]))

    async def listed(
        self, user: User, states: Collection[TaskState], before: tuple[datetime, str] | None, limit: int
    ) -> list[Told]:
        """Tasks, the youngest first; see `exchange.store.desk.tasks.listed`.

        Raises:
            TaskRefused: `task-right-missing`.
        """
        _require_sight(user)

        def work(connection: sa.Connection) -> list[Told]:
            found = tasks.listed(connection, states, before, limit)
            tallies = items.tallies(connection, [task.id for task in found])
            return [Told(task, tallies[task.id], standing(tallies[task.id])) for task in found]

        return await self._reading(work)

    async def story(self, user: User, task: str) -> Story:
        """A task with what was done to it and how far it came.

        Raises:
            TaskRefused: `task-unknown`, `task-right-missing`.
        """
        _require_sight(user)
        return await asyncio.to_thread(self._story, task)

    async def items(self, user: User, task: str, states: Collection[ItemState], first: int, limit: int) -> list[Item]:
        """Items of a task by number, from `first` on.

        Raises:
            TaskRefused: `task-unknown`, `task-right-missing`.
        """
        _require_sight(user)

        def work(connection: sa.Connection) -> list[Item]:
            tasks.get(connection, task)
            return items.listed(connection, task, states, first, limit)

        return await self._reading(work)

    def _preview(self, user: User, asked: Asked) -> Preview:
        with self._tracker.reading() as connection:
            choice = choose(connection, asked.wanted, asked.plan.sample)
        task = Task(
            id=sha256(f"{user.login}\n{asked.key}".encode()).hexdigest()[:ID_CHARACTERS],
            kind=REDRIVE,
            wanted=asked.words[:WANTED_CHARACTERS],
            person=user.login,
            second="",
            reason="",
            plan=asked.plan,
            count=len(choice.deliveries),
            repeats=choice.repeats,
            state=TaskState.PREVIEWED,
            created=self._now(),
        )
        with self._desk.writing() as connection:
            kept = tasks.create(connection, task, choice.items(task.id, task.plan))
            return Preview(kept, tuple(items.sample(connection, kept.id)), choice.left_out, begin(kept.count))

    def _act(self, user: User, task: str, act: TaskAct, said: Words) -> Task:
        if act in _LETS_RUN:
            with self._tracker.reading() as connection:
                said = replace(said, begins=str(queries.reached(connection, JOURNAL)))
        with self._desk.writing() as connection:
            require_right(user, act, tasks.get(connection, task).person)
            found = tasks.act(connection, task, act, user.login, self._now(), said=said)
            if act in BEGINNINGS:
                _require_alone(connection, task)
            return found

    def _story(self, task: str) -> Story:
        with self._desk.reading() as connection:
            found = tasks.get(connection, task)
            tally = items.tallies(connection, [task])[task]
            acts, sample = tasks.acts(connection, task), items.sample(connection, task)
            recipients = items.recipients(connection, task)
            is_running = found.state is TaskState.RUNNING
            lately = items.said_since(connection, task, micros(self._now() - LATELY)) if is_running else 0
        failures = 0
        if found.started is not None:
            with self._tracker.reading() as connection:
                failures = failed_since(connection, recipients, found.started)
        return Story(Told(found, tally, standing(tally), failures, lately), tuple(acts), tuple(sample))

    async def _reading(self, work: Callable[[sa.Connection], Result]) -> Result:
        def run() -> Result:
            with self._desk.reading() as connection:
                return work(connection)

        return await asyncio.to_thread(run)


def _require_alone(connection: sa.Connection, task: str) -> None:
    """No other task that is under way is about the same letters.

    Raises:
        TaskRefused: `task-overlaps`.
    """
    other = items.overlapping(connection, task)
    if other is not None:
        name, number = other
        message = f"{number} of these letters are under way in task {name}: let it end, cancel it, or leave them out"
        raise TaskRefused(message, code="task-overlaps")


def _require_sight(user: User) -> None:
    """Tasks are about letters of all bodies.

    Raises:
        TaskRefused: `task-right-missing`.
    """
    if not user.may(Right.SEE_ALL):
        message = f"look at tasks: '{user.login}' sees one body's letters only: ask an operator"
        raise TaskRefused(message, code="task-right-missing")
