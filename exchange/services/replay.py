"""`exchange audit replay`: reads the journal from its beginning, checks everything, compares the tracker.

Its Kafka principal can read the journal and write nowhere; the tracker's database is only read. The
replay goes exactly as far as the tracker has come, so that the two can be compared while letters go
on flowing; without a tracker it goes to the end that the journal had when it started, or to what it had taken at an
earlier instant: then the states are those of that instant, by the journal's own time.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from exchange.bus.topics import JOURNAL
from exchange.domain.delivery import Delivery
from exchange.journal.deliveries import DeliveryKey, Standing
from exchange.journal.findings import Difference, Report, compare
from exchange.journal.replay import Replay
from exchange.services.reading import (
    BATCH_RECORDS,
    READ_SECONDS,
    OpenReader,
    Partition,
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
class Asked:
    """What of a replay somebody wants to see.

    Attributes:
        at: only what the journal had taken by then; then no tracker is compared, which has gone on.
        body: whose deliveries are listed, sent or received; empty: none.
    """

    at: datetime | None = None
    body: str = ""


ALL = Asked()


@dataclass(frozen=True, slots=True)
class Audit:
    """What a replay of the whole journal came to.

    Attributes:
        report: what was checked and found.
        differences: to the tracker's states; None when none was compared.
        deliveries: of the body that was asked for.
    """

    report: Report
    differences: tuple[Difference, ...] | None
    deliveries: tuple[Standing, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing was found and the tracker, if there was one, says the same."""
        return self.report.sound and not self.differences


@dataclass(frozen=True, slots=True)
class _Tracked:
    """The tracker's deliveries and positions, as of one moment; `away`: letters that its tables hold no longer."""

    ends: Mapping[tuple[str, int], int]
    deliveries: Sequence[tuple[bytes, str, Delivery]]
    away: AbstractSet[bytes]


def _ignore(_done: int, _of: int) -> None:
    """Nobody watches."""


async def audit(
    open_reader: OpenReader,
    partitions: int,
    root: bytes,
    store: Store | None = None,
    on_progress: Progress = _ignore,
    asked: Asked = ALL,
) -> Audit:
    """Replay the journal under the auditor's own root file.

    Args:
        open_reader: opens the journal, as `svc-auditor`.
        partitions: of the journal.
        root: bytes of the exchange's first root file.
        store: the tracker's database to compare with.
        on_progress: called after every batch.
        asked: as of when, and whose deliveries.

    Raises:
        BusError: Kafka failed.
        JournalIncomplete: the journal's beginning is gone.
        StoreError: the tracker's database cannot be read.
    """
    tracked = None if store is None or asked.at is not None else await asyncio.to_thread(_tracked, store)
    positions = journal_positions(range(partitions), {})
    replaying, done = Replay(root), 0
    async with open_reader(positions) as reader:
        await require_complete(reader, positions)
        journal = await reader.end_offsets()
        ends: Mapping[Partition, int] = journal
        if tracked is not None:
            ends = {partition: tracked.ends.get(partition, 0) for partition in journal}
        while not reader.reached(ends):
            read = await reader.read(READ_SECONDS, BATCH_RECORDS)
            ends = _cut(read, ends, asked.at)
            records = [one for one in read if _is_before(one, ends)]
            await asyncio.to_thread(_feed, replaying, records)
            done += len(records)
            on_progress(done, sum(ends.values()))
    report, states = await asyncio.to_thread(partial(replaying.finish, cut=asked.at is not None))
    listed = tuple(_of_body(replaying, states, asked.body)) if asked.body else ()
    if tracked is None:
        return Audit(report, None, listed)
    present = {key: delivery for key, delivery in states.items() if key[0] not in tracked.away}
    return Audit(report, tuple(compare(present, tracked.deliveries)), listed)


def _cut(read: Sequence[Taken], ends: Mapping[Partition, int], at: datetime | None) -> Mapping[Partition, int]:
    """Where partitions end if nothing counts that the journal took later: at the first record that is later."""
    if at is None:
        return ends
    cut = dict(ends)
    for record in read:
        partition = (record.topic, record.partition)
        if record.timestamp > at and partition in cut:
            cut[partition] = min(cut[partition], record.offset)
    return cut


def _of_body(replaying: Replay, states: Mapping[DeliveryKey, Delivery], body: str) -> Iterator[Standing]:
    for key, delivery in states.items():
        letter, recipient = key
        sender = replaying.sender(key)
        if body in {sender, recipient}:
            yield Standing(letter, sender, recipient, delivery)


def _tracked(store: Store) -> _Tracked:
    with store.reading(LONG_READING_SECONDS) as connection:
        ends = {(JOURNAL, row.partition): row.position + 1 for row in queries.positions_of(connection, JOURNAL)}
        return _Tracked(ends, list(queries.tracked(connection)), queries.digests_put_away(connection))


def _is_before(record: Taken, ends: Mapping[tuple[str, int], int]) -> bool:
    return record.offset < ends[record.topic, record.partition]


def _feed(replaying: Replay, records: Sequence[Taken]) -> None:
    for record in records:
        replaying.feed(journal_record(record))
