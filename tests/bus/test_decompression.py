"""What one batch may cost: packed bytes that unpack to too much, and bytes that nothing can parse."""

import gzip
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition, codec
from hypothesis import given
from hypothesis import strategies as st

from exchange.bus.connection import aiokafka_options
from exchange.bus.decompression import (
    PACKED_BYTES_PER_RECORD,
    RECORDS_MAX,
    UNPACKED_BYTES_MAX,
    BoundedRecords,
    bound_decompression,
    unpack_records,
)
from exchange.bus.reader import PositionedReader
from exchange.bus.records import Poison, PoisonedBatch, Record, Taken, read_batch
from tests.bus.batches import GZIP, LZ4, MEGABYTE, SNAPPY, ZSTD, batch, bomb, produce, record
from tests.bus.support import make_topic, read_all, read_to_end
from tests.plugin_kafka import ADMINISTRATOR, KafkaCluster

PACKERS = {
    "gzip": (GZIP, codec.gzip_encode),
    "snappy, as Java writes it": (SNAPPY, codec.snappy_encode),
    "snappy alone": (SNAPPY, lambda data: codec.snappy_encode(data, xerial_compatible=False)),
    "lz4": (LZ4, codec.lz4_encode),
    "zstd": (ZSTD, codec.zstd_encode),
}
RSS_GROWTH_MAX = 64 * MEGABYTE


def parse(*batches: bytes) -> list[Any]:
    """Records as aiokafka's fetcher would get them."""
    records = BoundedRecords(b"".join(batches))
    found = []
    while (one := records.next_batch()) is not None:
        assert one.validate_crc()
        found += list(one)
    assert not records.has_next()
    return found


def honest(number: int) -> bytes:
    """A value with as much that no codec can shrink as a signature has."""
    return hashlib.sha512(b"%d" % number).digest() + bytes(100)


@pytest.mark.parametrize("name", PACKERS)
def test_packed_batches_are_read(name: str) -> None:
    """Whatever codec: the records are those that were packed."""
    number, pack = PACKERS[name]
    plain = b"".join(record(honest(offset), offset, [(b"h", b"v")]) for offset in range(100))
    found = parse(batch(bytes(pack(plain)), count=100, codec=number), batch(record(b"plain")))
    assert [one.value for one in found] == [*map(honest, range(100)), b"plain"]
    assert found[0].headers == [("h", b"v")]


@pytest.mark.parametrize("name", PACKERS)
def test_unpacking_ends_at_the_limit(name: str) -> None:
    """Exactly the limit is read, a byte more is not."""
    number, pack = PACKERS[name]
    fits = bytes(pack(bytes(UNPACKED_BYTES_MAX)))
    assert len(unpack_records(number, memoryview(fits))) == UNPACKED_BYTES_MAX
    (one,) = parse(batch(bytes(pack(bytes(UNPACKED_BYTES_MAX + 1))), codec=number))
    assert isinstance(one.value, Poison)
    assert str(UNPACKED_BYTES_MAX) in one.value.reason


def test_gzip_of_several_members_is_bounded_as_a_whole() -> None:
    """Members one after the other count together."""
    assert bytes(unpack_records(GZIP, memoryview(gzip.compress(b"a") + gzip.compress(b"b")))) == b"ab"
    (one,) = parse(batch(gzip.compress(bytes(UNPACKED_BYTES_MAX)) + gzip.compress(b"b"), codec=GZIP))
    assert isinstance(one.value, Poison)


@pytest.mark.parametrize("name", PACKERS)
def test_packing_cannot_multiply_records(name: str) -> None:
    """Thousands of empty records in a few packed bytes are one poisoned batch, not as many dead letters."""
    number, pack = PACKERS[name]
    count = 4096
    raw = batch(bytes(pack(b"".join(record(b"", offset) for offset in range(count)))), count=count, codec=number)
    assert len(raw) < count * PACKED_BYTES_PER_RECORD
    (one,) = parse(raw)
    assert isinstance(one.value, Poison)
    assert one.offset == count - 1


def test_a_poisoned_batch_says_what_it_was() -> None:
    """Offsets, size, beginning and digest are enough for a dead letter."""
    packed = bytes(codec.zstd_encode(bytes(UNPACKED_BYTES_MAX + 1)))
    raw = batch(packed, count=7, codec=ZSTD)
    (one,) = parse(raw)
    assert (one.value.first_offset, one.offset) == (0, 6)
    assert (one.value.size, len(one.value)) == (len(raw), len(raw))
    assert one.value.head == packed[:1024]
    assert len(one.value.digest) == 32


@pytest.mark.parametrize(
    "raw",
    [
        batch(record(b"v", headers=[(b"\xff", b"")])),
        batch(b"\xff" * 20),
        batch(b""),
        batch(record(b"one"), count=2),
        batch(record(b"one") + record(b"two", 1)),
        batch(b"packed", codec=6),
        batch(b"packed", codec=ZSTD),
        batch(b"\x82SNAPPY\0" + bytes(7), codec=SNAPPY),
        batch(b"\x82SNAPPY\0" + bytes(8) + b"\x7f\xff\xff\xff", codec=SNAPPY),
        batch(b"\x82SNAPPY\0" + bytes(8) + b"\xff\xff\xff\xff", codec=SNAPPY),
        batch(b"", count=RECORDS_MAX + 1),
        batch(b"", count=2**31 - 1),
    ],
)
def test_what_cannot_be_parsed_is_one_poisoned_batch(raw: bytes) -> None:
    """Header names that are no UTF-8, lengths that lie, unknown codecs: none raises, none hides its neighbours."""
    before, poisoned, after = parse(batch(record(b"before")), raw, batch(record(b"after")))
    assert (before.value, after.value) == (b"before", b"after")
    assert isinstance(poisoned.value, Poison)


@given(st.binary(max_size=300), st.integers(0, 7), st.integers(0, 2**31 - 1))
def test_any_bytes_end_as_records_or_as_poison(records: bytes, number: int, count: int) -> None:
    """No bytes whatever raise or give more than the batch says."""
    found = parse(batch(records, count=count, codec=number))
    assert all(isinstance(one.value, bytes | Poison | None) for one in found)


def test_a_part_of_a_batch_is_left_for_the_next_fetch() -> None:
    """Brokers cut the last batch where the answer is full."""
    whole = batch(record(b"whole"))
    records = BoundedRecords(whole + whole[:-1])
    assert records.size_in_bytes() == 2 * len(whole) - 1
    assert records.next_batch() is not None
    assert records.next_batch() is None


def peak_memory() -> int:
    """Largest resident size since `forget_peak`, bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


def forget_peak() -> int:
    """Start measuring; the present resident size, bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_memory()


@pytest.mark.server
@pytest.mark.parametrize(
    ("number", "megabytes"), [(ZSTD, 500), (GZIP, 500), (LZ4, 200), (SNAPPY, 20)], ids=["zstd", "gzip", "lz4", "snappy"]
)
async def test_bombs_are_reported_and_passed_in_bounded_memory(
    kafka: KafkaCluster, number: int, megabytes: int
) -> None:
    """The broker takes half a gigabyte in 16 KB; the reader names where it lies and goes on behind it."""
    async with kafka.administration() as administration:
        topic = await make_topic(administration, f"decompression.{number}")
    before, hostile, after = batch(record(b"before")), bomb(number, megabytes), batch(record(b"after"))
    resident = forget_peak()
    assert await produce(kafka.settings(ADMINISTRATOR), topic, [before, hostile, after]) == [0, 0, 0]
    found = await read_all(kafka, topic)
    assert peak_memory() - resident < RSS_GROWTH_MAX
    require_passed(found, topic, len(hostile))
    # A position may lie on a poisoned batch as on any record.
    assert await read_all(kafka, {(topic, 0): found[1].position}) == found[2:]


def require_passed(found: list[Taken], topic: str, size: int) -> None:
    """A record, a poisoned batch, a record."""
    before, poisoned, after = found
    assert isinstance(before, Record)
    assert isinstance(after, Record)
    assert isinstance(poisoned, PoisonedBatch)
    assert (before.value, after.value) == (b"before", b"after")
    assert (poisoned.topic, poisoned.partition, poisoned.first_offset, poisoned.offset) == (topic, 0, 1, 1)
    assert poisoned.size == size
    assert before.timestamp <= poisoned.timestamp <= after.timestamp


@pytest.mark.server
async def test_header_names_that_are_no_text_do_not_stop_a_reader(kafka: KafkaCluster) -> None:
    """Brokers take them; aiokafka alone would raise at the same place for ever."""
    async with kafka.administration() as administration:
        topic = await make_topic(administration, "decompression.headers")
    hostile = batch(record(b"hostile", headers=[(b"\xff\xfe", b"")]))
    written = [batch(record(b"before")), hostile, batch(record(b"after"))]
    assert await produce(kafka.settings(ADMINISTRATOR), topic, written) == [0, 0, 0]
    require_passed(await read_all(kafka, topic), topic, len(hostile))


@pytest.mark.server
async def test_a_consumer_of_ones_own_is_bounded_too(kafka: KafkaCluster) -> None:
    """The router's lanes read through `read_batch`."""
    async with kafka.administration() as administration:
        topic = await make_topic(administration, "decompression.consumer")
    hostile = bomb(ZSTD, 500)
    written = [batch(record(b"before")), hostile, batch(record(b"after"))]
    await produce(kafka.settings(ADMINISTRATOR), topic, written)
    bound_decompression()
    consumer = AIOKafkaConsumer(**aiokafka_options(kafka.settings(ADMINISTRATOR)), auto_offset_reset="none")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek(TopicPartition(topic, 0), 0)
        found: list[Taken] = []
        while len(found) < 3:
            found += await read_batch(consumer, timeout=5.0, max_records=2)
    finally:
        await consumer.stop()
    require_passed(found, topic, len(hostile))


@pytest.mark.server
async def test_packed_records_of_a_real_topic(kafka: KafkaCluster) -> None:
    """An honest packed batch is read as any other, from its middle too."""
    async with kafka.administration() as administration:
        topic = await make_topic(administration, "decompression.honest")
    plain = b"".join(record(honest(offset), offset) for offset in range(100))
    await produce(kafka.settings(ADMINISTRATOR), topic, [batch(bytes(codec.zstd_encode(plain)), count=100, codec=ZSTD)])
    found = await read_all(kafka, topic)
    async with PositionedReader(kafka.settings(ADMINISTRATOR), {(topic, 0): found[49].position}) as reader:
        assert await read_to_end(reader) == found[50:]
