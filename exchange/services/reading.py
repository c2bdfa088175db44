"""Reading the journal from a position on: what tracker, archive and replay share."""

import gc
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from exchange.bus.records import PoisonedBatch, Position, Record
from exchange.bus.topics import JOURNAL
from exchange.domain import delivery
from exchange.domain.errors import ExchangeError
from exchange.journal.facts import JournalRecord

BATCH_RECORDS = 4_000
READ_SECONDS = 1.0

Partition = tuple[str, int]
Taken = Record | PoisonedBatch


class JournalIncomplete(ExchangeError):
    """The journal no longer begins at its beginning, so nothing can be folded from it."""

    code = "journal-incomplete"


class JournalReader(Protocol):
    """What is asked of `exchange.bus.reader.PositionedReader`; see there for its promises."""

    async def read(self, timeout: float, max_records: int = ...) -> list[Taken]:  # noqa: ASYNC109  # its own limit
        """The next records, in order per partition; none when none came in time."""
        ...

    async def begin_offsets(self) -> dict[Partition, int]:
        """First offset of each partition."""
        ...

    async def end_offsets(self) -> dict[Partition, int]:
        """Last stable offset of each partition, now."""
        ...

    async def lag(self) -> dict[Partition, int]:
        """Offsets still to be read of each partition, now."""
        ...

    async def unstable(self) -> dict[Partition, int]:
        """Offsets of each partition that an open transaction holds up, now."""
        ...

    def reached(self, ends: Mapping[Partition, int]) -> bool:
        """Whether everything before `ends` has been handed out."""
        ...


Positions = Mapping[Partition, Position | None]
OpenReader = Callable[[Positions], AbstractAsyncContextManager[JournalReader]]
"""Opens a reader behind the given positions, e.g. `partial(PositionedReader, settings)`."""


def journal_positions(partitions: Iterable[int], stored: Mapping[int, Position]) -> dict[Partition, Position | None]:
    """These partitions of the journal with the last record taken of it, None where there is none."""
    return {(JOURNAL, partition): stored.get(partition) for partition in partitions}


async def require_complete(reader: JournalReader, positions: Positions) -> None:
    """Make sure that partitions read from their beginning still have it.

    Raises:
        JournalIncomplete: one begins later.
    """
    for partition, begin in (await reader.begin_offsets()).items():
        if begin > 0 and positions[partition] is None:
            message = f"{partition[0]}/{partition[1]} begins at {begin}, not at 0: restore it from the archive"
            raise JournalIncomplete(message)


def journal_record(taken: Taken) -> JournalRecord:
    """A record as the journal's readers take it; a batch that was not unpacked has no value that could be read."""
    if isinstance(taken, PoisonedBatch):
        return JournalRecord(delivery.Position(taken.partition, taken.last_offset), taken.timestamp, b"")
    return JournalRecord(delivery.Position(taken.partition, taken.offset), taken.timestamp, taken.value or b"")


def look_for_garbage_rarely() -> None:
    """Of the thousands of values in a batch none is a cycle.

    Without it the collector looks through each batch again and again: a fifth of the time.
    """
    gc.set_threshold(100_000, 20, 50)
