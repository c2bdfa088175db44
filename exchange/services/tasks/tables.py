"""What the runner reads and writes in the databases: one short transaction each."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from exchange.domain.task import ItemState, Stage, Standing, TaskAct, TaskState, standing
from exchange.services.tasks.choosing import FRESH
from exchange.services.tasks.results import heard
from exchange.services.tasks.throttle import Turn
from exchange.store.database import Store
from exchange.store.desk import items, tasks
from exchange.store.desk.database import DeskStore
from exchange.store.desk.items import Item
from exchange.store.desk.tasks import AtWork, DoneAct, Going, Task, Words
from exchange.store.queries.places import states_at
from exchange.store.queries.waits import taken_up_to, waits_within
from exchange.store.rows import moment

HEARD_AT_ONCE = 5_000
HEARD_FOR = timedelta(days=1)
"""Results are heard of for so long after a task's end."""
PREVIEWS_FOR = timedelta(days=1)
MOVED_ON = "moved-on"
"""Noted beside an item that was handed over by itself before its turn came: nothing was said."""

_HEARD = (ItemState.SAID, ItemState.TAKEN, ItemState.DELIVERED, ItemState.FAILED)


class Tables:
    """The desk's tables of tasks, and the tracker's of deliveries. All methods block, so they run in threads.

    Raises:
        StoreError: by any method: a database is away.
    """

    def __init__(self, desk: DeskStore, tracker: Store, now: Callable[[], datetime]) -> None:
        """Nothing is read yet.

        Args:
            desk: where tasks are kept.
            tracker: where results are heard of.
            now: the clock.
        """
        self._desk = desk
        self._tracker = tracker
        self._now = now

    def at_work(self) -> tuple[list[AtWork], int]:
        """Tasks that may have something to do, and how many run; old previews are forgotten by the way."""
        now = self._now()
        with self._desk.reading() as connection:
            found, running = tasks.at_work(connection, now - HEARD_FOR), tasks.running(connection)
            old = tasks.has_old_previews(connection, now - PREVIEWS_FOR)
        if old:
            with self._desk.writing() as connection:
                tasks.forget_previews(connection, now - PREVIEWS_FOR)
        return found, running

    def task(self, name: str) -> tuple[Task, list[DoneAct]]:
        """A task, and what was done to it that the journal does not have yet."""
        with self._desk.reading() as connection:
            return tasks.get(connection, name), tasks.acts(connection, name, unsaid=True)

    def standing(self, name: str) -> Standing:
        """How far a task came."""
        with self._desk.reading() as connection:
            return standing(items.tallies(connection, [name])[name])

    def acts_said(self, name: str, up_to: int) -> None:
        """Acts on a task were said, up to this number."""
        with self._desk.writing() as connection:
            tasks.acts_said(connection, name, up_to)

    def act(self, name: str, act: TaskAct, code: str) -> None:
        """The task itself does something.

        Raises:
            TaskRefused: its state does not allow it any more.
        """
        with self._desk.writing() as connection:
            tasks.act(connection, name, act, "", self._now(), said=Words(code=code))

    def next_items(self, name: str, stage: Stage, limit: int) -> list[Item]:
        """Items of a stage that are to be said next; none unless the task runs."""
        with self._desk.reading() as connection:
            if tasks.get(connection, name).state is not TaskState.RUNNING:
                return []
            return items.next_of(connection, name, stage, limit)

    def open_items(self, name: str, first: int) -> list[Item]:
        """Items that were said and may still come further, a part of them from a number on."""
        with self._desk.reading() as connection:
            return items.awaited(connection, name, _HEARD, first, HEARD_AT_ONCE)

    def last_said(self, task: Task) -> datetime:
        """When the last item of a task was said."""
        with self._desk.reading() as connection:
            return moment(items.last_said(connection, task.id))

    def change(self, changed: Sequence[Item]) -> None:
        """Keep what items came to."""
        with self._desk.writing() as connection:
            items.change(connection, changed)

    def moved_on(self, found: Sequence[Item]) -> list[Item]:
        """Those that were handed over since they were chosen, as they are now: there is nothing to say of them."""
        with self._tracker.reading() as connection:
            states = states_at(connection, {item.place for item in found})
        fresh = {state.value for state in FRESH}
        return [
            item._replace(state=ItemState.HANDED_OVER.value, code=MOVED_ON)
            for item in found
            if item.was in fresh and states.get((item.place, item.recipient), item.was) not in fresh
        ]

    def heard(self, said: Sequence[Item], begins: str) -> list[Item]:
        """Those of which the tracker knows more than before; see `exchange.services.tasks.results.heard`."""
        with self._tracker.reading() as connection:
            return heard(connection, said, begins)

    def waits(self, turn: Turn) -> tuple[list[float], list[float]] | None:
        """What live letters waited in the working and the quiet seconds of a turn; None: not all is known yet."""
        with self._tracker.reading() as connection:
            taken = taken_up_to(connection)
            if taken is None or taken < turn.ends:
                return None
            return waits_within(connection, *turn.working), waits_within(connection, *turn.quiet)

    def goes(self, name: str, going: Going) -> None:
        """Note for people how fast a task goes."""
        with self._desk.writing() as connection:
            tasks.goes(connection, name, going)
