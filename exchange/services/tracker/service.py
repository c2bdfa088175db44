"""The tracker: reads the journal from its own position and folds it into the store.

On PostgreSQL several trackers share the journal's partitions (`exchange.store.shards`): each follows those that
it holds, and looks every few seconds whether they are still as they should be.

Facts, the deliveries that they touch and the position reached go into one database transaction, so a
tracker that is killed anywhere goes on from a state that is exactly the fold up to its position. It
can be dropped and rebuilt from the journal to the identical state.

On a passing failure of Kafka or the database it opens both anew, from the stored position, for as long
as it takes; so it may be started before either is there. A journal that is not the one it read
(`PositionLost`), one without its beginning, tables that are damaged, or a second tracker on the same
database ends it: a person must look.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from exchange.bus.records import PoisonedBatch, Position, Record
from exchange.bus.topics import JOURNAL
from exchange.domain.deadline import NO_TERMS, Terms
from exchange.domain.errors import ConfigurationError, ExchangeError
from exchange.services.reading import (
    BATCH_RECORDS,
    READ_SECONDS,
    JournalReader,
    OpenReader,
    Partition,
    journal_positions,
    require_complete,
)
from exchange.services.runner import is_asked_to_end
from exchange.services.threads import finish
from exchange.services.tracker.batch import Batch, batch_of
from exchange.services.tracker.deadlines import Deadlines
from exchange.services.tracker.metrics import TrackerMetrics
from exchange.services.tracker.terms import TermsSource
from exchange.store import queries
from exchange.store.database import Store
from exchange.store.deadlines import overdue
from exchange.store.shards import Shard
from exchange.store.writer import Taken

RETRY_SECONDS = 1.0
REFRESH_SECONDS = 5.0
STAND_BY_SECONDS = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrackerStatus:
    """How the tracker is.

    Attributes:
        waiting_for: what keeps it from being ready; empty when it is.
        lag: offsets of the journal still to be taken when it last looked; None before.
        facts: how many it took since it started.
        held: the journal's partitions that it follows; none while it stands by.
    """

    waiting_for: str
    lag: int | None
    facts: int
    held: frozenset[int]


class Tracker:
    """One tracker process; of each partition that it follows the only writer."""

    def __init__(
        self,
        open_reader: OpenReader,
        store: Store,
        partitions: int,
        metrics: TrackerMetrics,
        now: Callable[[], datetime],
        terms: TermsSource | None = None,
        deadlines: Deadlines | None = None,
    ) -> None:
        """Nothing is opened before `run`.

        Args:
            open_reader: opens the journal behind given positions.
            store: where the state is kept.
            partitions: of the journal, fixed at installation (rule 5.2).
            metrics: counters of this process.
            now: the clock.
            terms: until when what must be done; None: nothing has a deadline.
            deadlines: says what has passed; None: nobody says it.
        """
        self._now = now
        self._terms = terms
        self._reckoned: Terms | None = None
        self._deadlines = deadlines
        self._open_reader = open_reader
        self._store = store
        self._partitions = partitions
        self._metrics = metrics
        self._waiting_for = "the journal: not opened yet"
        self._lag: int | None = None
        self._facts = 0
        self._held: frozenset[int] = frozenset()
        self._followed: frozenset[int] = frozenset()

    @property
    def status(self) -> TrackerStatus:
        """How it is now."""
        return TrackerStatus(self._waiting_for, self._lag, self._facts, self._held)

    @property
    def waiting_for(self) -> str:
        """What keeps the tracker from being ready; empty when it is."""
        return self._waiting_for

    async def run(self) -> None:
        """Follow the journal until cancelled.

        Raises:
            PositionLost: the journal is not the one that was read.
            JournalIncomplete: its beginning is gone.
            StoreConflict: another tracker writes to the same database.
            StoreError: its tables are of another version, or damaged.
        """
        while True:
            try:
                await self._follow()
            except ExchangeError as error:
                self._waiting_for = f"{error.code}: {error}"
                self._metrics.fail(error.code)
                # A certificate that is being replaced is none for a moment; at the start it was good.
                if not (error.retriable or isinstance(error, ConfigurationError)):
                    raise
                log.warning("the tracker opens everything anew: %s: %s", error.code, error)
            except asyncio.CancelledError:
                # A Kafka client that is closed while its broker is away lets the end of its own tasks
                # out; only who cancels this task may end it.
                if is_asked_to_end():
                    raise
                self._waiting_for = "the journal: the connection was lost"
                log.warning("the tracker opens everything anew: the connection was lost")
            await asyncio.sleep(RETRY_SECONDS)

    async def catch_up(self) -> int:
        """Take everything that the journal holds now, then return; the number of facts taken.

        Raises:
            BusError: Kafka failed; what was taken stays taken.
            StoreError: as `Store.take`.
            JournalIncomplete: its beginning is gone.
        """
        before = self._facts
        await finish(self._store.migrate)
        self._begin_with(frozenset(range(self._partitions)))
        positions = await finish(self._positions, self._followed)
        async with self._open_reader(positions) as reader:
            await require_complete(reader, positions)
            ends = await reader.end_offsets()
            while not reader.reached(ends):
                await self._take_next(reader)
        return self._facts - before

    async def _follow(self) -> None:
        await finish(self._store.migrate)
        with ExitStack() as stack:
            shard = await finish(lambda: stack.enter_context(self._store.shard(self._partitions)))
            while True:
                self._held = await finish(shard.balance)
                self._metrics.show_held(len(self._held))
                if self._held:
                    await self._follow_shard(shard)
                else:
                    self._lag, self._waiting_for = 0, ""  # others follow them all: ready to take over
                    await asyncio.sleep(STAND_BY_SECONDS)

    async def _follow_shard(self, shard: Shard) -> None:
        """Follow the partitions that are held until they should be others."""
        self._begin_with(self._held)
        positions = await finish(self._positions, self._followed)
        async with self._open_reader(positions) as reader:
            await require_complete(reader, positions)
            ends = await reader.end_offsets()
            if self._deadlines is not None:
                self._deadlines.follow({partition: end for (_, partition), end in ends.items()})
            behind, refresh_at = True, 0.0
            while True:
                await self._take_next(reader, shard)
                now = asyncio.get_running_loop().time()
                caught_up = behind and reader.reached(ends)
                if caught_up or now >= refresh_at:
                    # Also proves that Kafka still answers: without end offsets we are not ready.
                    self._lag = sum((await reader.lag()).values())
                    held_up = sum((await reader.unstable()).values())
                    self._metrics.show_lag(self._lag, held_up, self._now())
                    await finish(self._refresh)
                    refresh_at = now + REFRESH_SECONDS
                    if await finish(shard.balance) != self._held:
                        return
                behind = behind and not caught_up
                if self._deadlines is not None and not behind:
                    await self._deadlines.round()
                self._waiting_for = f"the journal: {self._lag} offsets to take" if behind else ""

    def _positions(self, partitions: Collection[int]) -> dict[Partition, Position | None]:
        """Where to go on in each of these partitions."""
        stored = self._store.positions(JOURNAL, partitions)
        taken = {partition: Position(row.position, row.digest) for partition, row in stored.items()}
        return journal_positions(partitions, taken)

    async def _take_next(self, reader: JournalReader, shard: Shard | None = None) -> None:
        """Take what comes next, in one transaction."""
        records = await reader.read(READ_SECONDS, BATCH_RECORDS)
        if not records:
            return
        batch, taken = await finish(self._store_batch, records, shard)
        self._facts += len(batch.facts)
        self._metrics.count(taken, batch.journalled)
        if self._deadlines is not None:
            self._deadlines.note(batch.facts)

    def _store_batch(self, records: Sequence[Record | PoisonedBatch], shard: Shard | None) -> tuple[Batch, Taken]:
        batch = batch_of(records)
        return batch, self._store.take(batch.facts, batch.reached, shard, self._terms_in_force(shard))

    def _begin_with(self, partitions: frozenset[int]) -> None:
        """Follow these partitions from here on, whatever was known of others."""
        self._followed, self._reckoned = partitions, None

    def _terms_in_force(self, shard: Shard | None) -> Terms:
        """Until when what must be done; when that is not as before, what is due already is reckoned anew."""
        if self._terms is None:
            return NO_TERMS
        terms = self._terms.current().terms
        if terms is not self._reckoned:
            self._store.reckon(terms, self._followed, shard)
            self._reckoned = terms
        return terms

    def _refresh(self) -> None:
        with self._store.reading() as connection:
            late, pending = overdue(connection), queries.waiting(connection)
            self._metrics.show(queries.oldest_undelivered(connection), late, pending)
