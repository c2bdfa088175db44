"""The router: reads submissions, decides, writes inboxes and journal in one transaction.

Each lane is a task of its own: arm, then examine the next batch while the one before commits. On any
failure the lane is closed, waits one heartbeat and arms again: the ledger is made anew from what was
committed, so nothing is lost and nothing is written twice.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from exchange.bus.connection import KafkaSettings
from exchange.bus.errors import CLIENT_ERRORS, bus_error
from exchange.bus.lane import Lane
from exchange.bus.lane_group import LaneGroup, Sources
from exchange.domain.decision import DeadLetter, LaneState
from exchange.domain.errors import BusError, ConfigurationError, ExchangeError, fault
from exchange.domain.policy import RECIPIENTS
from exchange.domain.trace import Traces
from exchange.journal.examine import Examined
from exchange.journal.ledger import Entry, Ledger
from exchange.services.router.ground import FootingSource
from exchange.services.router.history import require_new
from exchange.services.router.intake import Batch, examine_all
from exchange.services.router.metrics import RouterMetrics
from exchange.services.router.standing import Standing
from exchange.services.router.writes import Transaction, read_state
from exchange.services.runner import is_asked_to_end

TRANSACTION_STATEMENTS = 2000
TRANSACTION_BYTES = 12 * 1024 * 1024
"""Above what one fetch becomes, a copy for the journal and one for an inbox: half-empty transactions
cost the broker as much as full ones. At 100 MB it would cut us off."""
HEARTBEAT_SECONDS = 1.0
READ_SECONDS = 1.0
FINISH_SECONDS = 5.0
"""For the last transaction of a lane that is let go; Kafka's client itself would wait for ever for a broker."""

Clock = Callable[[], datetime]

log = logging.getLogger(__name__)


class Router:
    """One router process; several share the lanes by the consumer group."""

    def __init__(
        self,
        settings: KafkaSettings,
        footings: FootingSource,
        clock: Clock,
        metrics: RouterMetrics,
        tick_seconds: float,
        traces: Traces | None = None,
    ) -> None:
        """Nothing is opened before `run`.

        Args:
            settings: how Kafka is reached.
            footings: what is decided by.
            clock: the present time, UTC.
            metrics: counters of this process.
            tick_seconds: how often each lane says how far it has come; a deadline is seen to have passed so much
                later, twice at most.
            traces: is told of letters; None: nobody asks.
        """
        self._traces = traces
        self._settings = settings
        self._footings = footings
        self._clock = clock
        self._metrics = metrics
        self._tick_seconds = tick_seconds
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._armed: dict[int, Lane] = {}
        metrics.armed.set_function(lambda: len(self._armed))
        self._failures: dict[int, str] = {}
        self._joined = False

    @property
    def waiting_for(self) -> str:
        """What keeps the router from working; empty when every lane of ours is armed.

        One without lanes stands by, ready to take them.
        """
        if not self._joined and not self._tasks:
            return "the routers' group, which shares the lanes"
        idle = sorted(set(self._tasks) - set(self._armed))
        failures = sorted({self._failures[lane] for lane in idle if lane in self._failures})
        return "; ".join([f"lanes {idle} to be armed", *failures]) if idle else ""

    async def run(self) -> None:
        """Serve the lanes that the group gives us until cancelled.

        Lanes go on while the group cannot be reached: should another process arm them, ours is fenced.
        """
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    async with LaneGroup(self._settings) as group:
                        while True:
                            self._assign(await group.watch(), tasks)
                except (*CLIENT_ERRORS, BusError, ConfigurationError) as error:
                    # A certificate that is being replaced is none for a moment; at the start it was good.
                    self._joined = False
                    log.warning("joining the routers' group again: %s", bus_error(error, "sharing the lanes"))
                await asyncio.sleep(HEARTBEAT_SECONDS)

    def _assign(self, lanes: Sources, tasks: asyncio.TaskGroup) -> None:
        self._joined = True
        self._metrics.lanes.set(len(lanes))
        for lane in set(self._tasks) - set(lanes):
            self._tasks.pop(lane).cancel()
        for lane in set(lanes) - set(self._tasks):
            self._tasks[lane] = tasks.create_task(self._keep(lane, lanes[lane]), name=f"lane {lane}")
        log.info("lanes %s assigned", sorted(lanes))

    async def _keep(self, number: int, source: tuple[str, int]) -> None:
        """Serve a lane; after any failure arm it again."""
        while True:
            lane = Lane(self._settings, number, source)
            try:
                await self._serve(lane, number)
            except Exception as error:  # noqa: BLE001 - whatever it is, `AssertionError` too: arm again
                reason = _reason(error)
                self._failures[number] = reason
                log.warning("lane %d arms again: %s", number, reason)
            except asyncio.CancelledError:
                if is_asked_to_end():
                    raise
                self._failures[number] = "bus-unavailable: the connection was lost"
                log.warning("lane %d arms again: the connection was lost", number)
            finally:
                if self._armed.get(number) is lane:  # a lane that went and came back may be armed by now
                    del self._armed[number]
                await asyncio.shield(lane.close())
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _serve(self, lane: Lane, number: int) -> None:
        state, origins = read_state(number, await lane.arm())
        standing = Standing(self._footings, lane, self._metrics)
        footing = await standing.first(state.directory_digest)
        ledger = Ledger(number, footing.ground, state, origins)
        if state == LaneState():
            await require_new(self._settings, number, footing.ground.directory.journal_partitions)
            await self._decide(lane, ledger, Batch(footing, self._clock()))
        await lane.start_at(state.offset)
        self._armed[number] = lane
        self._failures.pop(number, None)
        self._metrics.rearmed.inc()
        log.info("lane %d armed at offset %d with %d origins", number, state.offset, len(origins))
        following = asyncio.create_task(self._examine_next(lane, number, standing))
        loop = asyncio.get_running_loop()
        ticked = loop.time()
        try:
            while True:
                batch = await following
                following = asyncio.create_task(self._examine_next(lane, number, standing))
                if batch.items:
                    # Shielded: on shutdown the transaction is finished first, else it would block
                    # every reader of what it touched until it times out.
                    await finish(self._decide(lane, ledger, batch), FINISH_SECONDS)
                if loop.time() - ticked >= self._tick_seconds:
                    await finish(self._tick(lane, ledger), FINISH_SECONDS)
                    ticked = loop.time()
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await following

    async def _examine_next(self, lane: Lane, number: int, standing: Standing) -> Batch:
        records = await lane.read(READ_SECONDS, TRANSACTION_STATEMENTS)
        return await examine_all(records, await standing.current(), self._clock(), number)

    async def _tick(self, lane: Lane, ledger: Ledger) -> None:
        """Say in every journal partition how far the lane has come (rule 4.3).

        The end is asked now, behind the tick before: what stands before it and is decided was not kept waiting.
        """
        end, now = await lane.end(), self._clock()
        partitions = ledger.ground.directory.journal_partitions
        transaction = Transaction(ledger.lane, partitions)
        for partition in range(partitions):
            transaction.tick(partition, ledger.tick(now, end), now)
        await self._commit(lane, ledger, transaction, now)

    async def _decide(self, lane: Lane, ledger: Ledger, batch: Batch) -> None:
        """Take a batch in order; commit at 2,000 statements or 12 MB, whichever is first."""
        transaction = self._begin(ledger, batch)
        for item in batch.items:
            if isinstance(item, Examined):
                if transaction.statements and len(item.recipients) > RECIPIENTS:
                    # What stands before a circular need not wait for its hundreds of copies.
                    await self._commit(lane, ledger, transaction, batch.now)
                    transaction = self._begin(ledger, batch)
                self._prove_named(ledger, transaction, batch, item)
            taken = ledger.skip(item) if isinstance(item, DeadLetter) else ledger.take(item, batch.now)
            if isinstance(item, Examined) and isinstance(taken, Entry):
                taken = transaction.decided.note(item.submission, taken, batch.now)
            transaction.add(taken)
            if transaction.statements >= TRANSACTION_STATEMENTS or transaction.size >= TRANSACTION_BYTES:
                await self._commit(lane, ledger, transaction, batch.now)
                transaction = self._begin(ledger, batch)
        await self._commit(lane, ledger, transaction, batch.now)
        if batch.items:
            self._metrics.decide.observe(batch.waited_seconds)

    def _begin(self, ledger: Ledger, batch: Batch) -> Transaction:
        ground = batch.footing.ground
        transaction = Transaction(ledger.lane, ground.directory.journal_partitions, self._traces)
        before = ledger.known
        if ledger.stand_on(ground):
            for part in batch.footing.parts(*before):
                transaction.basis(ledger.basis(batch.now), part, batch.now)
        return transaction

    def _prove_named(self, ledger: Ledger, transaction: Transaction, batch: Batch, item: Examined) -> None:
        """What proves the version that a letter to a group names stands in the journal before its decision."""
        version = ledger.unproven(item)
        if version is not None:
            for part in batch.footing.parts_of(version):
                transaction.basis(ledger.basis(batch.now), part, batch.now)

    async def _commit(self, lane: Lane, ledger: Ledger, transaction: Transaction, now: datetime) -> None:
        for body, notice in ledger.notices(now):
            transaction.notice(body, notice)
        transaction.state(ledger.state, ledger.drain_origins())
        await lane.commit(transaction.writes)
        self._metrics.committed(transaction.outcomes)
        transaction.decided.tell(self._clock())


def _reason(error: Exception) -> str:
    """Why a lane failed, with its code; of what nobody expected kind and place."""
    if isinstance(error, CLIENT_ERRORS):
        error = bus_error(error, "serving the lane")
    return f"{error.code}: {error}" if isinstance(error, ExchangeError) else fault(error)


async def finish(work: Coroutine[Any, Any, None], seconds: float) -> None:
    """Await `work`, for so long even when we are cancelled meanwhile, then pass the cancellation on."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=seconds)
        if not task.done():
            # Kafka is away: the transaction is settled by its time limit, or by whoever arms the lane next.
            task.cancel()
            log.warning("the last transaction of a lane that was let go did not end within %.0f s", seconds)
        elif not task.cancelled() and (error := task.exception()) is not None:
            log.warning("the last transaction of a lane that was let go failed: %s", error)
        raise
