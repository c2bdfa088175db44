"""A batch of the journal as facts, and how its work is done: in a thread to its end, with little garbage looked for."""

import asyncio
import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from exchange.bus.records import PoisonedBatch
from exchange.domain import delivery
from exchange.domain.fact import JournalFact, Unreadable
from exchange.journal.facts import read_fact
from exchange.services.reading import Taken, journal_record
from exchange.store.rows import PositionRow

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Batch:
    """What is stored at once.

    Attributes:
        facts: in the order of each partition.
        reached: the last record of each partition that moves.
        journalled: when the journal took the last record.
    """

    facts: Sequence[JournalFact]
    reached: Sequence[PositionRow]
    journalled: datetime


async def finish(work: Callable[[], Result]) -> Result:
    """Run `work` in a thread, to its end even when we are cancelled: nobody closes the database under it."""
    task = asyncio.create_task(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def batch_of(records: Sequence[Taken]) -> Batch:
    """What records of the journal state; at least one."""
    last = {record.partition: record for record in records}
    reached = [
        PositionRow(record.topic, partition, record.position.offset, record.position.digest)
        for partition, record in last.items()
    ]
    return Batch([_fact(record) for record in records], reached, records[-1].timestamp)


def look_for_garbage_rarely() -> None:
    """What lives stays, and of the thousands of values in a batch none is a cycle.

    Without it the collector looks through each batch again and again: a fifth of the tracker's time.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def _fact(taken: Taken) -> JournalFact:
    if isinstance(taken, PoisonedBatch):
        place = delivery.Position(taken.partition, taken.last_offset)
        return Unreadable(place, taken.timestamp, f"a batch that was not unpacked: {taken.reason}"[:200])
    return read_fact(journal_record(taken))
