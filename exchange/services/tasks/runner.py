"""Does what people let run: says the acts of tasks and the commands of their items, and hears what becomes of them.

What it does stands in the desk's tables and in the speaker's spool, nothing in its memory. So a process that is
killed anywhere goes on where it stood:

    1. say       the command is durable at the speaker; said again under the same key it stays one
    2. mark      the items are `said`                                 killed before: said again, to no effect

It looks at each task's state before every few letters, so a task that is cancelled or paused says nothing more
within a second. How fast it goes is up to its own rate and to what live letters bear (`turns`). A database, a
journal or a spool that is away is waited for; other letters go their way without it.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from exchange.agent.drafts import DraftCommand
from exchange.agent.errors import DraftRefused
from exchange.domain.errors import ExchangeError
from exchange.domain.own_bodies import CONSOLE_BODY
from exchange.domain.task import ItemState, Stage, Standing, TaskAct, TaskRefused, TaskState
from exchange.journal.commands import REDRIVE
from exchange.services.speaking import command_key
from exchange.services.tasks.letters import Found, Letters
from exchange.services.tasks.metrics import TaskMetrics
from exchange.services.tasks.ports import Commands, key_of
from exchange.services.tasks.results import judged
from exchange.services.tasks.tables import Tables
from exchange.services.tasks.turns import Turns
from exchange.services.threads import finish
from exchange.store.database import Store
from exchange.store.desk.database import DeskStore
from exchange.store.desk.items import Item
from exchange.store.desk.lock import Lock
from exchange.store.desk.tasks import DoneAct, Task
from exchange.store.rows import micros

ROUND_SECONDS = 1.0
"""Between two rounds: each costs as much as ten letters, and several writes that the disk must confirm."""
RETRY_SECONDS = 1.0
HEAR_SECONDS = 2.0
HEAR_LATER_SECONDS = 10.0
"""How often results are asked for while a task runs, and after its end; less often when that takes long."""
AT_ONCE = 50
"""Items said between two looks at the task's state."""
SETTLE = timedelta(minutes=15)
"""Whose recipients did not answer by then after the last letter is done: the letters lie in their inboxes."""

OTHER = "another console runs this desk's tasks; this one goes on when it ends"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Course:
    """What is remembered of a running task between two rounds; all of it can be found again."""

    standing: Standing | None = None
    hear_at: float = 0.0
    read: dict[int, Found] = field(default_factory=dict)
    """Letters of the journal by their items' numbers, read ahead: to read one costs almost what many cost."""


class TaskRunner:
    """Runs the tasks of a desk, one process at a time; whose speaker has the spool."""

    def __init__(
        self,
        desk: DeskStore,
        tracker: Store,
        speaker: Commands,
        letters: Letters,
        metrics: TaskMetrics,
        now: Callable[[], datetime],
    ) -> None:
        """Nothing is opened before `run`.

        Args:
            desk: where tasks are kept.
            tracker: where results are heard of.
            speaker: says commands for the console's body.
            letters: reads the journal.
            metrics: counters of this process.
            now: the clock.
        """
        self._desk = desk
        self._tables = Tables(desk, tracker, now)
        self._turns = Turns(self._tables, now)
        self._speaker = speaker
        self._letters = letters
        self._metrics = metrics
        self._now = now
        self._courses: dict[str, _Course] = {}
        self._waiting_for = ""

    @property
    def waiting_for(self) -> str:
        """What keeps tasks from going on; empty when nothing does."""
        return self._waiting_for

    async def run(self) -> None:
        """Do what there is to do until cancelled, while no other process does it for this desk."""
        try:
            with self._desk.lock() as lock:
                await self._go_on(lock)
        finally:
            await self._letters.close()

    async def _go_on(self, lock: Lock) -> None:
        while True:
            waiting_for = await self._round_under(lock)
            if waiting_for and waiting_for != self._waiting_for:
                log.warning("tasks wait: %s", waiting_for)
            self._waiting_for = waiting_for
            await asyncio.sleep(RETRY_SECONDS if waiting_for else ROUND_SECONDS)

    async def _round_under(self, lock: Lock) -> str:
        try:
            is_ours = await finish(lock.is_ours)
        except ExchangeError as error:
            return f"{error.code}: {error}"
        self._metrics.stand_by(is_standing_by=not is_ours)
        if is_ours:
            return await self.round()
        self._keep(())  # somebody else moves them on
        return OTHER

    async def round(self) -> str:
        """One step of every task that has something to do; what one of them waits for, empty when none does."""
        waiting_for, clock = "", asyncio.get_running_loop().time
        try:
            found, running = await finish(self._tables.at_work)
        except ExchangeError as error:
            return f"{error.code}: {error}"
        self._metrics.show(running, self._now())
        self._keep({each.task for each in found})
        for task, is_over in found:
            if is_over and task in self._courses and clock() < self._courses[task].hear_at:
                continue
            try:
                await self._step(task)
            except ExchangeError as error:  # another task may need less
                waiting_for = f"{error.code}: {error}"
        self._turns.end_round()
        return waiting_for

    def _keep(self, tasks: Collection[str]) -> None:
        """Forget all other tasks."""
        self._courses = {task: course for task, course in self._courses.items() if task in tasks}
        self._turns.keep(tasks)

    async def _step(self, name: str) -> None:
        clock = asyncio.get_running_loop().time
        task, unsaid = await finish(self._tables.task, name)
        course = self._courses.setdefault(name, _Course())
        self._turns.rest(name)
        await self._say_acts(task, unsaid)
        if task.started is None:
            return
        if clock() >= course.hear_at:
            begun = clock()
            await self._hear(task)
            course.standing = await finish(self._tables.standing, name)
            least = HEAR_LATER_SECONDS if task.state.is_last else HEAR_SECONDS
            course.hear_at = clock() + max(least, 10 * (clock() - begun))
        if task.state is TaskState.RUNNING and course.standing is not None:
            await self._advance(task, course, course.standing)

    async def _say_acts(self, task: Task, unsaid: Sequence[DoneAct]) -> None:
        """In their order, before any item that they let run."""
        for act in unsaid:
            await self._speaker.say(f"{command_key(act.act.command, task.id)}:{act.number}", _draft_of(task, act))
        if unsaid:
            await finish(self._tables.acts_said, task.id, unsaid[-1].number)

    async def _advance(self, task: Task, course: _Course, stand: Standing) -> None:
        if stand.stop:
            await self._end(task, TaskAct.STOP, stand.stop)
        elif stand.awaited == 0:
            await self._end(task, TaskAct.FINISH)
        elif stand.stage is None:
            if self._now() - await finish(self._tables.last_said, task) > SETTLE:
                await self._end(task, TaskAct.FINISH)
        else:
            await self._say_some(task, course, stand.stage)

    async def _say_some(self, task: Task, course: _Course, stage: Stage) -> None:
        """As many as the pace allows, looking at the task's state again and again."""
        left = await self._turns.allowed(task)
        while left > 0:
            items = await finish(self._tables.next_items, task.id, stage, min(left, AT_ONCE))
            if not items:
                course.hear_at = 0.0
                self._turns.rest(task.id)
                return
            await self._say(task, course, items)
            self._turns.used(task.id, len(items))
            left -= len(items)

    async def _say(self, task: Task, course: _Course, items: Sequence[Item]) -> None:
        """Say what did not move on by itself meanwhile, then mark it; all of it goes to the disk together."""
        moved = await finish(self._tables.moved_on, items)
        numbers = {item.number for item in moved}
        found = await self._read(task, course, [item for item in items if item.number not in numbers])
        said = await asyncio.gather(*(self._said(task, letter) for letter in found), return_exceptions=True)
        for each in said:
            if isinstance(each, BaseException):
                raise each
        await self._change([*moved, *[each for each in said if isinstance(each, Item)]])

    async def _read(self, task: Task, course: _Course, items: Sequence[Item]) -> list[Found]:
        """The letters of items."""
        if any(item.number not in course.read for item in items):
            stage = Stage(items[0].stage)
            ahead = await finish(self._tables.next_items, task.id, stage, AT_ONCE)
            wanted = {item.number: item for item in (*ahead, *items)}
            course.read = {found.item.number: found for found in await self._letters.read([*wanted.values()])}
        return [replace(course.read.pop(item.number), item=item) for item in items]

    async def _said(self, task: Task, letter: Found) -> Item:
        """What saying a letter's command makes of its item."""
        at, code = micros(self._now()), letter.flaw or ""
        if not code:
            try:
                await self._speaker.say(key_of(letter.item), _draft(task, letter))
            except DraftRefused as refused:
                code = refused.code
        state = ItemState.REFUSED if code else ItemState.SAID
        return letter.item._replace(state=state.value, code=str(code), said=at)

    async def _hear(self, task: Task) -> None:
        """What became of items that were said; those of a whole task a part at a time."""
        first = 0
        while True:
            items = await finish(self._tables.open_items, task.id, first)
            if not items:
                return
            first = items[-1].number + 1
            said = [item for item in items if item.state == ItemState.SAID]
            words = await self._speaker.all_said([*map(key_of, said)]) if said else {}
            known = {item.number: item for item in judged(said, words)}
            now = [known.get(item.number, item) for item in items]
            known |= {item.number: item for item in await finish(self._tables.heard, now, task.begins)}
            await self._change([*known.values()])

    async def _change(self, changed: Sequence[Item]) -> None:
        if changed:
            await finish(self._tables.change, changed)
            self._metrics.count(changed, self._now())

    async def _end(self, task: Task, act: TaskAct, code: str = "") -> None:
        try:
            await finish(self._tables.act, task.id, act, code)
        except TaskRefused:
            return  # somebody paused or cancelled it meanwhile, which counts
        log.info("task %s: %s %s", task.id, act, code, extra={"task": task.id})


def _draft_of(task: Task, act: DoneAct) -> DraftCommand:
    """An act on a task: no effect but to stand in the journal; what the task does itself has the console's name."""
    return DraftCommand(
        action=act.act.command,
        task=task.id,
        person=act.person or CONSOLE_BODY,
        second=task.second,
        reason=task.reason,
        detail=act.detail,
    )


def _draft(task: Task, letter: Found) -> DraftCommand:
    return DraftCommand(
        action=REDRIVE,
        task=task.id,
        person=task.person,
        second=task.second,
        reason=task.reason,
        detail="",
        letter=letter.item.letter,
        recipient=letter.item.recipient,
        carried=letter.record,
    )
