"""Bounds what one batch may cost a reader (protocol, section 8; ADR 0008).

Agents submit uncompressed batches, and routers write such. A packed one is nobody's honest work: 16 KB of
zstd unpack to 500 MB, and 500 bytes to two million headers. So aiokafka's fetcher is given our view of the
fetched bytes instead of its own, in which a batch that is packed, that has too many records or headers, or
that cannot be parsed (header names that are no UTF-8 are enough), becomes one record that holds a `Poison`;
it takes the place of the whole batch, so order and position need no other care.

The one place in which aiokafka is changed is `bound_batches`.
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.memory_records import MemoryRecords

from exchange.bus.records import HEAD_BYTES, Poison

# A record costs a reader some 500 bytes beside its own, and the smallest has seven.
RECORDS_MAX = 32_768
# A header costs 70 bytes of memory and two of the batch; CloudEvents and trace context need ten.
HEADERS_MAX = 16

# RecordBatch, magic 2 (KIP-98): base offset, length, leader epoch, magic, CRC, attributes, last offset delta,
# first and last timestamp, producer id, epoch, sequence, number of records.
_HEADER = struct.Struct(">qiibIhiqqqhii")
_LENGTH = struct.Struct(">i")
_LENGTH_AT = 8
_LOG_OVERHEAD = 12
_ATTRIBUTES_AT = 21
_CODEC_MASK = 0x07
_MAGIC = 2


class _PoisonedError(Exception):
    """Why the records of a batch are not given to anybody."""


def bound_batches() -> None:
    """Bound every consumer that this process makes from now on; calling it again changes nothing."""
    fetcher.MemoryRecords = BoundedRecords


class BoundedRecords:
    """Fetched bytes, batch by batch, as aiokafka's fetcher asks for them (its `MemoryRecords`)."""

    def __init__(self, data: bytes) -> None:
        """Look at `data`, which may end in a part of a batch."""
        self._records = MemoryRecords(data)
        self._data = memoryview(data)
        self._at = 0

    def size_in_bytes(self) -> int:
        """Bytes fetched."""
        return len(self._data)

    def has_next(self) -> bool:
        """Whether another whole batch is there."""
        return bool(self._records.has_next())

    def next_batch(self) -> "_BoundedBatch | None":
        """The next batch, or None."""
        batch = self._records.next_batch()
        if batch is None:
            return None
        start = self._at
        self._at += _LOG_OVERHEAD + _LENGTH.unpack_from(self._data, start + _LENGTH_AT)[0]
        return _BoundedBatch(batch, self._data[start : self._at])


class _BoundedBatch:
    """One batch; it is parsed when it is iterated, after the fetcher has checked its CRC."""

    __slots__ = ("_batch", "_raw", "base_offset", "is_control_batch", "is_transactional", "next_offset", "producer_id")

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch = batch
        self._raw = raw
        self.base_offset: int = batch.base_offset
        self.next_offset: int = batch.next_offset
        self.producer_id: int | None = batch.producer_id
        self.is_control_batch: bool = batch.is_control_batch
        self.is_transactional: bool = batch.is_transactional

    def validate_crc(self) -> bool:
        """Whether the batch is as the broker wrote it."""
        return bool(self._batch.validate_crc())

    def __next__(self) -> Any:
        """The record of a control batch: brokers write these, and never packed."""
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        """All records, or one that stands for all."""
        try:
            return iter(_records(self._batch, self._raw))
        except Exception as error:  # noqa: BLE001 - whatever a parser says of a stranger's bytes
            return iter((self._stand_in(error),))

    def _stand_in(self, error: Exception) -> "_StandIn":
        raw = self._raw
        poison = Poison(
            first_offset=self.base_offset,
            reason=str(error) if isinstance(error, _PoisonedError) else f"cannot be parsed: {type(error).__name__}",
            size=len(raw),
            head=bytes(raw[_HEADER.size : _HEADER.size + HEAD_BYTES]),
            digest=hashlib.sha256(raw[_ATTRIBUTES_AT:]).digest(),
        )
        return _StandIn(self.next_offset - 1, self._batch.max_timestamp, self._batch.timestamp_type, poison)


@dataclass(frozen=True, slots=True)
class _StandIn:
    """A record as aiokafka's parser would give it."""

    offset: int
    timestamp: int
    timestamp_type: int
    value: Poison
    key: None = None
    checksum: None = None
    headers: tuple[()] = ()


def _records(batch: Any, raw: memoryview) -> list[Any]:
    header = _HEADER.unpack_from(raw)
    magic, attributes, count = header[3], header[5], header[-1]
    if magic != _MAGIC:
        raise _PoisonedError(f"message format {magic} is not accepted")
    if attributes & _CODEC_MASK:
        raise _PoisonedError("packed: submit uncompressed batches")
    if count > RECORDS_MAX:
        raise _PoisonedError(f"{count} records in one batch: at most {RECORDS_MAX} are accepted")
    records = []
    for record in batch:
        if len(record.headers) > HEADERS_MAX:
            raise _PoisonedError(f"{len(record.headers)} headers of one record: at most {HEADERS_MAX} are accepted")
        records.append(record)
    return records
