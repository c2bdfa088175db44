"""What one batch may cost: packed ones, too many records or headers, and bytes that nothing can parse."""

import re
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition, codec
from hypothesis import given
from hypothesis import strategies as st

from exchange.bus.batches import HEADERS_MAX, RECORDS_MAX, BoundedRecords, bound_batches
from exchange.bus.connection import aiokafka_options
from exchange.bus.records import Poison, PoisonedBatch, Record, Taken, read_batch
from tests.bus.batches import GZIP, LZ4, MEGABYTE, SNAPPY, ZSTD, batch, bomb, produce, record
from tests.bus.support import make_topic, read_all
from tests.plugin_kafka import ADMINISTRATOR, KafkaCluster

PACKERS = {
    "gzip": (GZIP, codec.gzip_encode),
    "snappy, as Java writes it": (SNAPPY, codec.snappy_encode),
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


def test_plain_batches_are_read() -> None:
    """Records with headers, in their order."""
    plain = b"".join(record(b"%d" % offset, offset, [(b"h", b"v")] * HEADERS_MAX) for offset in range(100))
    found = parse(batch(plain, count=100), batch(record(b"next")))
    assert [one.value for one in found] == [*(b"%d" % offset for offset in range(100)), b"next"]
    assert list(found[0].headers) == [("h", b"v")] * HEADERS_MAX


@pytest.mark.parametrize("name", PACKERS)
def test_packed_batches_are_poisoned(name: str) -> None:
    """Whatever codec, whatever it holds: agents do not pack (section 8)."""
    number, pack = PACKERS[name]
    (one,) = parse(batch(bytes(pack(record(b"honest"))), codec=number))
    assert isinstance(one.value, Poison)
    assert "uncompressed" in one.value.reason


def test_too_many_headers_are_poison() -> None:
    """One more than anybody needs; half a million of them would fit into a record."""
    few, many = record(b"few"), record(b"many", 1, [(b"", b"")] * (HEADERS_MAX + 1))
    (one,) = parse(batch(few + many, count=2))
    assert isinstance(one.value, Poison)
    assert str(HEADERS_MAX) in one.value.reason


def test_a_poisoned_batch_says_what_it_was() -> None:
    """Offsets, size, beginning and digest are enough for a dead letter."""
    packed = bytes(codec.zstd_encode(b"".join(b"%d" % number for number in range(9999))))
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
    ("number", "megabytes"), [(ZSTD, 500), (GZIP, 200), (LZ4, 200), (SNAPPY, 20)], ids=["zstd", "gzip", "lz4", "snappy"]
)
async def test_bombs_are_reported_and_passed_in_bounded_memory(
    kafka: KafkaCluster, number: int, megabytes: int
) -> None:
    """The broker takes up to half a gigabyte in 16 KB; the reader names where it lies and goes on behind it."""
    async with kafka.administration() as administration:
        topic = await make_topic(administration, f"batches.{number}")
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
        topic = await make_topic(administration, "batches.headers")
    hostile = batch(record(b"hostile", headers=[(b"\xff\xfe", b"")]))
    written = [batch(record(b"before")), hostile, batch(record(b"after"))]
    assert await produce(kafka.settings(ADMINISTRATOR), topic, written) == [0, 0, 0]
    require_passed(await read_all(kafka, topic), topic, len(hostile))


@pytest.mark.server
async def test_a_consumer_of_ones_own_is_bounded_too(kafka: KafkaCluster) -> None:
    """The router's lanes read through `read_batch`."""
    async with kafka.administration() as administration:
        topic = await make_topic(administration, "batches.consumer")
    hostile = bomb(ZSTD, 500)
    written = [batch(record(b"before")), hostile, batch(record(b"after"))]
    await produce(kafka.settings(ADMINISTRATOR), topic, written)
    bound_batches()
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
