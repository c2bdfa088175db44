"""How many letters each task may say now: the desk's pace, shared by the tasks that have something to say."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from exchange.services.tasks.pace import Pace
from exchange.services.tasks.tables import Tables
from exchange.services.tasks.throttle import Throttle
from exchange.services.threads import finish
from exchange.store.desk.tasks import Going, Task


@dataclass(slots=True)
class _Share:
    """One task's part of the pace.

    Attributes:
        rate: letters a second that it may say at most; 0: it has nothing to say.
        noted: how fast it goes, as people see it.
    """

    bucket: Pace
    rate: int = 0
    noted: Going | None = None


class Turns:
    """Lets tasks work and be quiet turn about, as `throttle` has it, and shares out what may be said."""

    def __init__(self, tables: Tables, now: Callable[[], datetime]) -> None:
        """Nobody has anything to say yet.

        Args:
            tables: what live letters waited; how fast tasks go is noted there.
            now: the clock.
        """
        self.throttle = Throttle()
        self._tables = tables
        self._now = now
        self._shares: dict[str, _Share] = {}

    def keep(self, tasks: Collection[str]) -> None:
        """Forget all other tasks."""
        self._shares = {task: share for task, share in self._shares.items() if task in tasks}

    def rest(self, task: str) -> None:
        """A task, maybe a new one, has nothing to say for now."""
        self._shares.setdefault(task, _Share(Pace(_clock()))).rate = 0

    async def allowed(self, task: Task) -> int:
        """How many letters a task may say now that has some; it stays so until it rests.

        Raises:
            StoreError: a database is away.
        """
        share, at = self._shares[task.id], _clock()
        share.rate = task.plan.rate
        return share.bucket.allowed(at, await self._pace(task.id, share))

    def used(self, task: str, number: int) -> None:
        """A task said so many."""
        self._shares[task].bucket.used(number)

    def end_round(self) -> None:
        """Every task was asked: a turn in which none had anything to say proves nothing."""
        if not self._rates():
            self.throttle.had_nothing_to_say()

    async def _pace(self, name: str, share: _Share) -> float:
        """Letters a second that a task may say now; what it comes to is noted beside the task for people."""
        throttle, rates = self.throttle, self._rates()
        may_work, turn = throttle.may_work(self._now()), throttle.ended
        if turn is not None and (waits := await finish(self._tables.waits, turn)) is not None:
            throttle.heard(*waits, sum(rates))
        pace = min(share.rate, throttle.pace / len(rates))
        going = Going(round(pace), *(throttle.waits or (0.0, 0.0)))
        if going != share.noted:
            await finish(self._tables.goes, name, going)
            share.noted = going
        return pace if may_work else 0.0

    def _rates(self) -> list[int]:
        return [share.rate for share in self._shares.values() if share.rate]


def _clock() -> float:
    return asyncio.get_running_loop().time()
