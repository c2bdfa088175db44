"""A journal in memory that keeps the promises of `PositionedReader`, and breaks when told to."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from exchange.bus.errors import PositionLost
from exchange.bus.records import PoisonedBatch, Position, Record
from exchange.bus.topics import JOURNAL
from exchange.domain.errors import BusError
from exchange.journal.facts import JournalRecord
from exchange.services.reading import Partition, Positions, Taken


def as_taken(record: JournalRecord) -> Record:
    """A record of the journal as the bus hands it out."""
    place = record.position
    return Record(JOURNAL, place.partition, place.offset, record.journalled, b"", record.value)


@dataclass
class FakeJournal:
    """Records by partition; `failures` are raised by the next reads, one each."""

    partitions: int = 2
    records: list[Taken] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    begins: dict[Partition, int] = field(default_factory=dict)
    unstable: int = 0
    opened: int = 0

    def open(self, positions: Positions) -> "FakeReader":
        """What `OpenReader` promises."""
        self.opened += 1
        return FakeReader(self, dict(positions))

    def end(self, partition: Partition) -> int:
        """Behind the last record of a partition, and the marker behind that."""
        return max((record.offset + 2 for record in self.records if record.partition == partition[1]), default=0)


class FakeReader:
    """Reads the fake journal from positions on."""

    def __init__(self, journal: FakeJournal, positions: dict[Partition, Position | None]) -> None:
        """Nothing is compared before it is opened."""
        self._journal = journal
        self._positions = positions
        self._next = {partition: 0 if at is None else at.offset + 1 for partition, at in positions.items()}

    async def __aenter__(self) -> Self:
        """Compare the record at each position."""
        held = {((record.topic, record.partition), record.offset): record for record in self._journal.records}
        for partition, position in self._positions.items():
            record = None if position is None else held.get((partition, position.offset))
            if position is not None and (record is None or record.position != position):
                raise PositionLost("another record", code="position-digest-differs")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""

    async def read(self, timeout: float, max_records: int = 500) -> list[Taken]:  # noqa: ASYNC109  # as the real one
        """The next few records, interleaved as they were written."""
        if self._journal.failures:
            raise self._journal.failures.pop(0)
        found = [record for record in self._journal.records if self._is_new(record)][: min(max_records, 4)]
        if not found:
            await asyncio.sleep(min(timeout, 0.01))
        for record in found:
            self._next[record.topic, record.partition] = record.offset + 1
        return found

    async def begin_offsets(self) -> dict[Partition, int]:
        """0 unless told otherwise."""
        return {partition: self._journal.begins.get(partition, 0) for partition in self._next}

    async def end_offsets(self) -> dict[Partition, int]:
        """Now."""
        return {partition: self._journal.end(partition) for partition in self._next}

    async def lag(self) -> dict[Partition, int]:
        """Now."""
        return {partition: max(0, self._journal.end(partition) - 1 - at) for partition, at in self._next.items()}

    async def unstable(self) -> dict[Partition, int]:
        """As many in each partition as the test said."""
        return dict.fromkeys(self._next, self._journal.unstable)

    def reached(self, ends: Mapping[Partition, int]) -> bool:
        """Markers behind the last record count as read with it."""
        new = [record for record in self._journal.records if self._is_new(record)]
        return all(record.offset >= ends[record.topic, record.partition] for record in new)

    def _is_new(self, record: Taken) -> bool:
        begin = self._next.get((record.topic, record.partition))  # None: it was not asked for this partition
        return begin is not None and record.offset >= begin


def poisoned(offset: int, journal: JournalRecord) -> PoisonedBatch:
    """A batch that was not unpacked."""
    return PoisonedBatch(JOURNAL, 0, offset, offset, journal.journalled, "unpacks to too much", 9, b"", bytes(32))


def unavailable() -> BusError:
    """Kafka is away for a moment."""
    return BusError("nobody answers")
