"""Bounds what one batch may cost a reader (protocol, section 8).

A 16 KB zstd batch unpacks to 500 MB, and aiokafka would do so. Its fetcher is given our view of the
fetched bytes instead of its own: we unpack compressed batches ourselves, into a buffer that does not
grow, so that aiokafka's parser only ever sees uncompressed ones. A batch that does not fit, or that
cannot be parsed (header names that are no UTF-8 are enough), becomes one record that holds a
`Poison`; it takes the place of the whole batch, so order and position need no other care.

The one place in which aiokafka is changed is `bound_decompression`.
"""

import hashlib
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cramjam
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords

from exchange.bus.records import HEAD_BYTES, Poison

UNPACKED_BYTES_MAX = 4 * 1024 * 1024
# A record costs a reader some 500 bytes beside its own, and the smallest has seven.
RECORDS_MAX = 32_768
# Packing must not multiply records: 150 bytes of zstd hold 32,768 empty ones, each a dead letter of its
# own. Of an honest record no codec takes away the signature, 64 random bytes at least.
PACKED_BYTES_PER_RECORD = 64

# RecordBatch, magic 2 (KIP-98): base offset, length, leader epoch, magic, CRC, attributes, last offset delta,
# first and last timestamp, producer id, epoch, sequence, number of records.
_HEADER = struct.Struct(">qiibIhiqqqhii")
_LENGTH = struct.Struct(">i")
_ATTRIBUTES = struct.Struct(">h")
_LENGTH_AT = 8
_LOG_OVERHEAD = 12
_ATTRIBUTES_AT = 21
_CODEC_MASK = 0x07
_MAGIC = 2

# Snappy as Java writes it: this magic, two version numbers, then blocks, each with its length.
_XERIAL_MAGIC = b"\x82SNAPPY\x00"
_XERIAL_HEADER_BYTES = 16


class _PoisonedError(Exception):
    """Why a batch is not unpacked."""


def bound_decompression() -> None:
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
    """One batch; it is unpacked when it is iterated, after the fetcher has checked its CRC."""

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
            return iter(_unpack(self._batch, self._raw))
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


def _unpack(batch: Any, raw: memoryview) -> list[Any]:
    header = _HEADER.unpack_from(raw)
    magic, attributes, records = header[3], header[5], header[-1]
    if magic != _MAGIC:
        raise _PoisonedError(f"message format {magic} is not accepted")
    if records > RECORDS_MAX:
        raise _PoisonedError(f"{records} records in one batch: at most {RECORDS_MAX} are accepted")
    codec = attributes & _CODEC_MASK
    if codec and records * PACKED_BYTES_PER_RECORD > len(raw):
        raise _PoisonedError(f"{records} records packed into {len(raw)} bytes: submit uncompressed batches")
    return list(_uncompressed(raw, codec) if codec else batch)


def _uncompressed(raw: memoryview, codec: int) -> Any:
    """The same batch, packed by nobody; its CRC has been checked and is not looked at again."""
    records = unpack_records(codec, raw[_HEADER.size :])
    copy = bytearray(raw[: _HEADER.size])
    _LENGTH.pack_into(copy, _LENGTH_AT, _HEADER.size - _LOG_OVERHEAD + len(records))
    attributes = _ATTRIBUTES.unpack_from(copy, _ATTRIBUTES_AT)[0]
    _ATTRIBUTES.pack_into(copy, _ATTRIBUTES_AT, attributes & ~_CODEC_MASK)
    return DefaultRecordBatch(bytes(copy + records))


def unpack_records(codec: int, packed: memoryview) -> memoryview:
    """Unpack into at most `UNPACKED_BYTES_MAX` bytes, whatever `packed` claims to hold.

    Args:
        codec: Kafka's number of the compression (KIP-110): 1 gzip, 2 snappy, 3 lz4, 4 zstd.
        packed: the records as they lie in the batch.

    Raises:
        _PoisonedError: it would be more, or `packed` is not what the codec writes.
    """
    if codec not in _CODECS:
        raise _PoisonedError(f"compression {codec} is not known")
    name, decompress = _CODECS[codec]
    room = memoryview(bytearray(UNPACKED_BYTES_MAX))
    try:
        return room[: decompress(packed, room)]
    except (cramjam.DecompressionError, struct.error, ValueError) as error:
        message = f"{name} that does not unpack to at most {UNPACKED_BYTES_MAX} bytes"
        raise _PoisonedError(message) from error


def _snappy(packed: memoryview, room: memoryview) -> int:
    if bytes(packed[: len(_XERIAL_MAGIC)]) != _XERIAL_MAGIC:
        return int(cramjam.snappy.decompress_raw_into(packed, room))
    at, written = _XERIAL_HEADER_BYTES, 0
    while at < len(packed):
        (size,) = _LENGTH.unpack_from(packed, at)
        at += _LENGTH.size
        if not 0 < size <= len(packed) - at:
            raise ValueError
        written += cramjam.snappy.decompress_raw_into(packed[at : at + size], room[written:])
        at += size
    return written


_CODECS: dict[int, tuple[str, Callable[[memoryview, memoryview], int]]] = {
    1: ("gzip", cramjam.gzip.decompress_into),
    2: ("snappy", _snappy),
    3: ("lz4", cramjam.lz4.decompress_into),
    4: ("zstd", cramjam.zstd.decompress_into),
}
