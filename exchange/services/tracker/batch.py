"""A batch of the journal as facts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from exchange.bus.records import PoisonedBatch
from exchange.domain import delivery
from exchange.domain.fact import JournalFact, Unreadable
from exchange.journal.facts import read_fact
from exchange.services.reading import Taken, journal_record
from exchange.store.rows import PositionRow


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


def batch_of(records: Sequence[Taken]) -> Batch:
    """What records of the journal state; at least one."""
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
