"""Says that deadlines have passed: each once, signed, by the journal's own time (rule 4.3).

1. What was due before its partition's time (`exchange.store.deadlines`) is looked up once a round.
2. It is said by the tracker's own body, under a key of letter, recipient and stage, so once per spool.
3. Said again by the journal, it is folded like every fact, and is not found any more.

What another process said, or this one before its spool was lost, must stand in the journal and be folded before
anything is said. So of partitions that are newly followed nothing is said before the lane of the services has ticked
there twice, the second time idle: all that it was given before the first tick then stands before the second. That is
also what makes clocks and restarts no matter: no clock of ours is asked when something passed, and nothing is
remembered but what the journal says.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Protocol

from exchange.agent.drafts import DraftDeadline
from exchange.domain.deadline import Stage
from exchange.domain.errors import ExchangeError
from exchange.domain.fact import JournalFact, TickFact
from exchange.services.speaking import deadline_key
from exchange.services.threads import finish
from exchange.services.tracker.metrics import DeadlineMetrics
from exchange.services.tracker.terms import InForce, TermsSource
from exchange.store import deadlines
from exchange.store.database import Store
from exchange.store.deadlines import Passed

SAID_AT_ONCE = 200
ROUND_SECONDS = 1.0

log = logging.getLogger(__name__)

Key = tuple[bytes, str, Stage]
"""Letter, recipient and stage."""


class Says(Protocol):
    """How a deadline is said: `exchange.services.speaking.Speaker`."""

    async def say(self, key: str, draft: DraftDeadline) -> bool:
        """Say it, once per key; durable when it returns. Whether it is new.

        Raises:
            ExchangeError: retriable, or the draft is none.
        """
        ...


class Deadlines:
    """The deadlines of the partitions that one tracker follows."""

    def __init__(self, store: Store, terms: TermsSource, lanes: int, speaker: Says, metrics: DeadlineMetrics) -> None:
        """Nothing is said before `follow`.

        Args:
            store: the tracker's.
            terms: until when what must be done.
            lanes: of the bodies; that of the services has the next number.
            speaker: says them.
            metrics: counters of this process.
        """
        self._store = store
        self._terms = terms
        self._lanes = lanes
        self._speaker = speaker
        self._metrics = metrics
        self._fences: dict[int, _Fence] = {}
        self._said: set[Key] = set()
        self._looked = 0.0

    def follow(self, ends: dict[int, int]) -> None:
        """Other partitions are followed from here on: by partition, the journal's end when they were taken over."""
        self._fences = {partition: _Fence(end) for partition, end in ends.items()}
        self._said.clear()

    def note(self, facts: Iterable[JournalFact]) -> None:
        """What was folded just now."""
        for fact in facts:
            if isinstance(fact, TickFact) and fact.lane == self._lanes and fact.position.partition in self._fences:
                self._fences[fact.position.partition].tick(fact)

    @property
    def open(self) -> AbstractSet[int]:
        """Partitions of which everything that was said before is known."""
        return {partition for partition, fence in self._fences.items() if fence.passed}

    async def round(self) -> int:
        """Say what has passed and was not said; how many. At most once a second; the rest is for the next round."""
        now = asyncio.get_running_loop().time()
        if now - self._looked < ROUND_SECONDS or not self.open:
            return 0
        self._looked = now
        found, until, in_force = await finish(self._passed)
        self._said &= {_key(one) for one in found}  # what is gone was folded, or is not late any more
        said = 0
        for one in found:
            if _key(one) not in self._said:
                said += await self._say(one, in_force)
        calendar = in_force.terms.policy.calendar
        ends = None if calendar is None else calendar.end
        self._metrics.show(min(until.values(), default=None), len(self._said), ends)
        return said

    def _passed(self) -> tuple[list[Passed], Mapping[int, datetime], InForce]:
        with self._store.reading() as connection:
            until = deadlines.through(connection, self.open, self._lanes)
            found = deadlines.passed(connection, until, SAID_AT_ONCE + len(self._said))
        return found, until, self._terms.current()

    async def _say(self, one: Passed, in_force: InForce) -> bool:
        notify = in_force.terms.notified(one.stage, one.matter, one.recipient)
        draft = DraftDeadline(
            letter=one.letter,
            sender=one.matter.sender,
            recipient=one.recipient,
            stage=one.stage,
            due=one.due,
            through=one.through,
            policy=in_force.policy,
            notify=notify,
        )
        try:
            new = await self._speaker.say(deadline_key(one.letter, one.recipient, one.stage), draft)
        except ExchangeError as error:
            if error.retriable:
                log.warning("a deadline is said later: %s (%s)", error, error.code)
                return False
            log.warning("a deadline cannot be said: %s (%s)", error, error.code)
            new = False
        self._said.add(_key(one))
        return new


class _Fence:
    """Whether all that the lane of the services was given, before a partition was followed, stands there."""

    def __init__(self, end: int) -> None:
        self._end = end
        self._ticked = False
        self.passed = False

    def tick(self, tick: TickFact) -> None:
        """The lane's next tick in the partition."""
        if tick.position.offset >= self._end:
            self.passed = self.passed or (self._ticked and tick.idle)
            self._ticked = True


def _key(one: Passed) -> Key:
    return one.letter, one.recipient, one.stage
