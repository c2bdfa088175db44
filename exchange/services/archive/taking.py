"""Follows the journal into the logs.

The archive's own folder says where to go on: entries and the position behind them are written together. Killed
anywhere, it goes on there; without its folder it begins at the journal's beginning, and makes the same trees again.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from exchange.archive.writer import ArchiveWriter
from exchange.bus.records import Position
from exchange.services.archive.disk import Disk
from exchange.services.archive.enduring import endure
from exchange.services.archive.entries import batch_of
from exchange.services.archive.metrics import ArchiveMetrics
from exchange.services.reading import (
    BATCH_RECORDS,
    READ_SECONDS,
    JournalReader,
    OpenReader,
    Partition,
    journal_positions,
    require_complete,
)
from exchange.services.threads import finish

REFRESH_SECONDS = 5.0

log = logging.getLogger(__name__)


class Taking:
    """The journal's way into the logs; `run` is its task."""

    def __init__(
        self, open_reader: OpenReader, disk: Disk, metrics: ArchiveMetrics, now: Callable[[], datetime]
    ) -> None:
        """Nothing is opened before `run`.

        Args:
            open_reader: opens the journal behind given positions.
            disk: the archive's folder.
            metrics: counters of this process.
            now: the clock.
        """
        self._open_reader = open_reader
        self._disk = disk
        self._metrics = metrics
        self._now = now
        self._oldest: datetime | None = None
        self.caught_up = asyncio.Event()
        """Set once everything was taken that the journal held when it was opened."""
        self.waiting_for = "the journal: not opened yet"
        """What keeps it from being ready; empty when it is."""

    def oldest(self) -> datetime | None:
        """When the journal took the first of the entries that came since this was last asked; None: none came."""
        oldest, self._oldest = self._oldest, None
        return oldest

    async def run(self) -> None:
        """Follow the journal until cancelled.

        Raises:
            PositionLost: the journal is not the one that was taken.
            JournalIncomplete: its beginning is gone, and was not taken.
            ArchiveError: the folder is not what was written to it.
        """
        await endure("the archive", self._follow, self._told)

    def _told(self, waiting_for: str, code: str) -> None:
        self.waiting_for = waiting_for
        self._metrics.fail(code)

    async def _follow(self) -> None:
        positions = await self._disk.use(_positions)
        async with self._open_reader(positions) as reader:
            await require_complete(reader, positions)
            ends, refresh_at = await reader.end_offsets(), 0.0
            while True:
                await self._take_next(reader)
                now = asyncio.get_running_loop().time()
                caught_up = not self.caught_up.is_set() and reader.reached(ends)
                if caught_up or now >= refresh_at:
                    # Also proves that Kafka still answers: without end offsets we are not ready.
                    lag = sum((await reader.lag()).values())
                    self._metrics.show_lag(lag, self._now())
                    refresh_at = now + REFRESH_SECONDS
                    if caught_up:
                        self.caught_up.set()
                    self.waiting_for = "" if self.caught_up.is_set() else f"the journal: {lag} offsets to take"

    async def _take_next(self, reader: JournalReader) -> None:
        """Take what comes next, durably."""
        taken = await reader.read(READ_SECONDS, BATCH_RECORDS)
        if not taken:
            return
        batch = await finish(batch_of, taken)
        await self._disk.use(lambda writer: writer.take(batch.records))
        for stray in batch.strays:
            place = f"{stray.partition}:{stray.offset}"
            log.error("no record of the journal, and so no leaf: %s", stray.why, extra={"place": place})
        self._metrics.count(len(batch.records) - len(batch.strays), len(batch.strays))
        if self._oldest is None:
            self._oldest = batch.records[0].journalled


def _positions(writer: ArchiveWriter) -> dict[Partition, Position | None]:
    stored = {number: Position(each.offset, each.digest) for number, each in writer.positions.items() if each}
    return journal_positions(range(writer.partitions), stored)
