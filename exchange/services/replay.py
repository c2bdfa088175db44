"""`exchange audit replay`: reads the journal from its beginning, checks everything, compares the tracker.

Its Kafka principal can read the journal and write nowhere; the tracker's database is only read. The
replay goes exactly as far as the tracker has come, so that the two can be compared while letters go
on flowing; without a tracker it goes to the end that the journal had when it started.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from exchange.bus.topics import JOURNAL
from exchange.domain.delivery import Delivery
from exchange.journal.findings import Difference, Report, compare
from exchange.journal.replay import Replay
from exchange.services.reading import (
    BATCH_RECORDS,
    READ_SECONDS,
    OpenReader,
    Taken,
    journal_positions,
    journal_record,
    require_complete,
)
from exchange.store import queries
from exchange.store.database import LONG_READING_SECONDS, Store

Progress = Callable[[int, int], None]
"""Told how many of how many offsets are done."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What a replay of the whole journal came to; `differences` is None when no tracker was compared."""

    report: Report
    differences: tuple[Difference, ...] | None

    @property
    def sound(self) -> bool:
        """Whether nothing was found and the tracker, if there was one, says the same."""
        return self.report.sound and not self.differences


@dataclass(frozen=True, slots=True)
class _Tracked:
    """The tracker's deliveries and positions, as of one moment."""

    ends: Mapping[tuple[str, int], int]
    deliveries: Sequence[tuple[bytes, str, Delivery]]


def _ignore(_done: int, _of: int) -> None:
    """Nobody watches."""


async def audit(
    open_reader: OpenReader,
    partitions: int,
    root: bytes,
    store: Store | None = None,
    on_progress: Progress = _ignore,
) -> Audit:
    """Replay the journal under the auditor's own root file.

    Args:
        open_reader: opens the journal, as `svc-auditor`.
        partitions: of the journal.
        root: bytes of the exchange's first root file.
        store: the tracker's database to compare with.
        on_progress: called after every batch.

    Raises:
        BusError: Kafka failed.
        JournalIncomplete: the journal's beginning is gone.
        StoreError: the tracker's database cannot be read.
    """
    tracked = None if store is None else await asyncio.to_thread(_tracked, store)
    positions = journal_positions(partitions, {})
    replaying, done = Replay(root), 0
    async with open_reader(positions) as reader:
        await require_complete(reader, positions)
        present = await reader.end_offsets()
        ends = present if tracked is None else {partition: tracked.ends.get(partition, 0) for partition in present}
        while not reader.reached(ends):
            records = [one for one in await reader.read(READ_SECONDS, BATCH_RECORDS) if _is_before(one, ends)]
            await asyncio.to_thread(_feed, replaying, records)
            done += len(records)
            on_progress(done, sum(ends.values()))
    report, states = await asyncio.to_thread(replaying.finish)
    differences = None if tracked is None else tuple(compare(states, tracked.deliveries))
    return Audit(report, differences)


def _tracked(store: Store) -> _Tracked:
    with store.reading(LONG_READING_SECONDS) as connection:
        ends = {(JOURNAL, row.partition): row.position + 1 for row in queries.positions_of(connection, JOURNAL)}
        return _Tracked(ends, list(queries.tracked(connection)))


def _is_before(record: Taken, ends: Mapping[tuple[str, int], int]) -> bool:
    return record.offset < ends[record.topic, record.partition]


def _feed(replaying: Replay, records: Sequence[Taken]) -> None:
    for record in records:
        replaying.feed(journal_record(record))
