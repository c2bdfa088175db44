"""What readers get from Kafka."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from aiokafka import AIOKafkaConsumer

# Rule 8: dead letters keep this much and a digest.
HEAD_BYTES = 1024

Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Position:
    """The last record that a reader has taken, as it is stored beside what was done with it.

    Attributes:
        offset: the record's offset.
        digest: SHA-256 of its value (of a poisoned batch: of the batch); 32 bytes.
        reached: where reading went on, when that was further than just behind the record: over
            markers of transactions, which are offsets without a record.
    """

    offset: int
    digest: bytes
    reached: int | None = field(default=None, compare=False)

    @classmethod
    def without_record(cls, behind: int) -> "Position":
        """Where reading goes on in a compacted topic, whose last record may be gone: nothing is compared."""
        return cls(-1, b"", reached=behind)

    @property
    def behind(self) -> int:
        """Where reading goes on; everything before it was taken."""
        return self.offset + 1 if self.reached is None else self.reached


@dataclass(frozen=True, slots=True)
class Record:
    """One record. Key, value and headers are anybody's bytes: nothing in them is checked.

    Attributes:
        timestamp: when the broker wrote it (`LogAppendTime`, UTC, milliseconds).
        value: None in a compacted topic means that the key is gone; anybody may send None.
        headers: unsigned hints.
    """

    topic: str
    partition: int
    offset: int
    timestamp: datetime
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    @property
    def position(self) -> Position:
        """What to store once this record is dealt with."""
        return Position(self.offset, hashlib.sha256(self.value or b"").digest())


@dataclass(frozen=True, slots=True)
class PoisonedBatch:
    """A batch whose records nobody is given: no agent writes such a one, or it cannot be parsed (section 8).

    Attributes:
        first_offset: offset of the first record in the batch.
        last_offset: offset of the last one; reading goes on behind it.
        timestamp: when the broker wrote it (UTC).
        reason: what is wrong with it, for people.
        size: bytes of the batch as it lies in Kafka.
        head: the first bytes of its records, at most 1 KB.
        digest: SHA-256 of the batch from its attributes on (what its CRC covers).
    """

    topic: str
    partition: int
    first_offset: int
    last_offset: int
    timestamp: datetime
    reason: str
    size: int
    head: bytes
    digest: bytes

    @property
    def offset(self) -> int:
        """Where it ends, so that records and batches can be put in order."""
        return self.last_offset

    @property
    def position(self) -> Position:
        """What to store once this batch is dealt with."""
        return Position(self.last_offset, self.digest)


Taken = Record | PoisonedBatch


@dataclass(frozen=True, slots=True)
class Poison:
    """Stands in a consumer's record as the value of a batch whose records nobody is given."""

    first_offset: int
    reason: str
    size: int
    head: bytes
    digest: bytes

    def __len__(self) -> int:
        """Consumers ask for the size of every value."""
        return self.size


class ConsumerRecord(Protocol):
    """A record as aiokafka gives it; its value may be a `Poison`."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | Poison | None
    headers: Headers


def taken(record: ConsumerRecord) -> Taken:
    """Make a value of a consumer's record."""
    timestamp = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    value = record.value
    if isinstance(value, Poison):
        return PoisonedBatch(
            record.topic,
            record.partition,
            value.first_offset,
            record.offset,
            timestamp,
            value.reason,
            value.size,
            value.head,
            value.digest,
        )
    return Record(record.topic, record.partition, record.offset, timestamp, record.key, value, record.headers)


async def read_batch(consumer: AIOKafkaConsumer, timeout: float, max_records: int) -> list[Taken]:  # noqa: ASYNC109
    """What a consumer has for us, each partition in order; nothing after `timeout` seconds without any.

    Args:
        consumer: one with assigned partitions, made after `bound_batches`.
        timeout: how long to wait for the first record, seconds.
        max_records: at most so many, more than 0.

    Raises:
        KafkaError: aiokafka's own, as from `getmany`.
    """
    fetched = await consumer.getmany(timeout_ms=int(timeout * 1000), max_records=max_records)
    return [taken(record) for records in fetched.values() for record in records]
