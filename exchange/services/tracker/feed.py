"""The journal's next batches as facts: while one is stored, the next is read and decoded.

Storing is mostly waiting for PostgreSQL, decoding mostly Python: side by side they take a third less time.
Nothing is lost by it: what was read ahead and not stored is read again after the next start.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from exchange.bus.records import PoisonedBatch
from exchange.domain import delivery
from exchange.domain.fact import JournalFact, Unreadable
from exchange.journal.facts import read_fact
from exchange.services.reading import BATCH_RECORDS, READ_SECONDS, JournalReader, Partition, Taken, journal_record
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


class Feed:
    """Reads one opened journal; for one task."""

    def __init__(self, reader: JournalReader) -> None:
        """Nothing is read yet."""
        self._reader = reader
        self._ahead: Batch | None = None

    async def next(self) -> Batch | None:
        """The next batch; None when nothing came for a while.

        Raises:
            PositionLost, BusError: as `PositionedReader.read`.
        """
        batch, self._ahead = self._ahead, None
        return batch or await self._read(READ_SECONDS)

    async def look_ahead(self) -> None:
        """Make ready what has already come.

        Raises:
            PositionLost, BusError: as `PositionedReader.read`.
        """
        self._ahead = await self._read(0)

    def reached(self, ends: Mapping[Partition, int]) -> bool:
        """Whether everything before `ends` has been handed out."""
        return self._ahead is None and self._reader.reached(ends)

    async def _read(self, seconds: float) -> Batch | None:
        records = await self._reader.read(seconds, BATCH_RECORDS)
        return await finish(lambda: _batch(records)) if records else None


async def finish(work: Callable[[], Result]) -> Result:
    """Run `work` in a thread, to its end even when we are cancelled: nobody closes the database under it."""
    task = asyncio.create_task(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _batch(records: Sequence[Taken]) -> Batch:
    last = {record.partition: record for record in records}
    reached = [
        PositionRow(record.topic, partition, record.position.offset, record.position.digest)
        for partition, record in last.items()
    ]
    return Batch([_fact(record) for record in records], reached, records[-1].timestamp)


def _fact(taken: Taken) -> JournalFact:
    if isinstance(taken, PoisonedBatch):
        place = delivery.Position(taken.partition, taken.last_offset)
        return Unreadable(place, taken.timestamp, f"a batch that was not unpacked: {taken.reason}"[:200])
    return read_fact(journal_record(taken))
