"""Filling stores."""

from collections.abc import Sequence

from exchange.domain.ids import digest
from exchange.journal.facts import JournalRecord, read_fact
from exchange.store.database import Store
from exchange.store.rows import PositionRow
from exchange.store.writer import Taken

TOPIC = "exchange.journal"


def reached(records: Sequence[JournalRecord]) -> list[PositionRow]:
    """The positions behind `records`."""
    last = {record.position.partition: record for record in records}
    return [
        PositionRow(TOPIC, partition, record.position.offset, digest(record.value))
        for partition, record in last.items()
    ]


def take(store: Store, records: Sequence[JournalRecord]) -> Taken:
    """One batch."""
    return store.take([read_fact(record) for record in records], reached(records))


def fill(store: Store, records: Sequence[JournalRecord], batch: int = 1_000) -> None:
    """All records in batches."""
    for start in range(0, len(records), batch):
        take(store, records[start : start + batch])
