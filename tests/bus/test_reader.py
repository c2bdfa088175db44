"""Readers that keep their own position, on a real broker, and what must stop them."""

import asyncio
import hashlib
from contextlib import suppress
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import TopicPartition

from exchange.bus.access import body_grants
from exchange.bus.connection import aiokafka_options
from exchange.bus.errors import PositionLost
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.reader import PositionedReader
from exchange.bus.records import Position, Record
from exchange.bus.topics import CHECKPOINTS, DIRECTORY, JOURNAL, SUBMISSIONS, inbox, inbox_topic
from exchange.domain.errors import BusError
from tests.bus.support import committed, delete_topic, make_topic, numbered, read_all, read_to_end, values
from tests.patience import PATIENCE
from tests.plugin_kafka import ADMINISTRATOR, SHAPE, KafkaCluster

pytestmark = pytest.mark.server


def position(offset: int, value: bytes) -> Position:
    """Where a reader stands that took `value` at `offset`."""
    return Position(offset, hashlib.sha256(value).digest())


async def write(kafka: KafkaCluster, topic: str, records: list[bytes]) -> None:
    """Append `records` to the only partition of `topic`."""
    async with SubmissionProducer(kafka.settings(ADMINISTRATOR)) as producer:
        await producer.send([Outgoing(value) for value in records], topic=topic, partition=0)


async def new_topic(kafka: KafkaCluster, name: str, records: list[bytes]) -> str:
    """A topic that holds `records`."""
    async with kafka.administration() as administration:
        await make_topic(administration, name)
    await write(kafka, name, records)
    return name


async def test_goes_on_behind_the_last_record_taken(kafka: KafkaCluster) -> None:
    """A position that still holds is where reading goes on; every record knows its own."""
    topic = await new_topic(kafka, "reader.position", numbered(0, 99))
    found = await read_all(kafka, {(topic, 0): position(41, b"41")})
    assert values(found) == numbered(42, 99)
    assert found[-1].position == position(99, b"99")
    assert await read_all(kafka, {(topic, 0): position(99, b"99")}) == []


async def test_goes_on_where_nothing_need_be_compared(kafka: KafkaCluster) -> None:
    """In a compacted topic the record before may be gone: only the offset counts, also at the very end."""
    topic = await new_topic(kafka, "reader.compacted", numbered(0, 9))
    assert values(await read_all(kafka, {(topic, 0): Position.without_record(4)})) == numbered(4, 9)
    assert await read_all(kafka, {(topic, 0): Position.without_record(10)}) == []


async def test_hands_out_at_most_what_was_asked_for(kafka: KafkaCluster) -> None:
    """`max_records` bounds one call, and nothing is skipped between calls."""
    topic = await new_topic(kafka, "reader.few", numbered(0, 9))
    async with PositionedReader(kafka.settings(ADMINISTRATOR), {(topic, 0): None}) as reader:
        parts = [values(await reader.read(PATIENCE, max_records=4)) for _ in range(3)]
        assert parts == [numbered(0, 3), numbered(4, 7), numbered(8, 9)]
        assert await reader.read(0.05) == []


async def test_another_record_at_the_position_stops_it(kafka: KafkaCluster) -> None:
    """The topic was made again while the reader was away, and is longer than before."""
    topic = await new_topic(kafka, "reader.digest", numbered(100, 199))
    with pytest.raises(PositionLost) as lost:
        await read_all(kafka, {(topic, 0): position(41, b"41")})
    assert (lost.value.code, lost.value.retriable) == ("position-digest-differs", False)


async def test_a_topic_that_ends_before_the_position_stops_it(kafka: KafkaCluster) -> None:
    """The topic was made again, and is shorter than before."""
    topic = await new_topic(kafka, "reader.short", numbered(0, 4))
    with pytest.raises(PositionLost) as lost:
        await read_all(kafka, {(topic, 0): position(5, b"5")})
    assert lost.value.code == "position-out-of-range"


async def test_a_topic_that_begins_behind_the_position_stops_it(kafka: KafkaCluster) -> None:
    """Records that were not taken yet are gone; just behind the position nothing was missed."""
    topic = await new_topic(kafka, "reader.cut", numbered(0, 9))
    await delete_before(kafka, topic, 5)
    with pytest.raises(PositionLost) as lost:
        await read_all(kafka, {(topic, 0): position(3, b"3")})
    assert lost.value.code == "position-out-of-range"
    assert values(await read_all(kafka, {(topic, 0): position(4, b"4")})) == numbered(5, 9)
    async with PositionedReader(kafka.settings(ADMINISTRATOR), {(topic, 0): None}) as reader:
        assert await reader.begin_offsets() == {(topic, 0): 5}
        assert values(await read_to_end(reader)) == numbered(5, 9)


async def test_quiet_for_longer_than_retention(kafka: KafkaCluster) -> None:
    """Everything was taken and then forgotten by the broker: that is no loss."""
    topic = await new_topic(kafka, "reader.quiet", numbered(0, 9))
    await delete_before(kafka, topic, 10)
    assert await read_all(kafka, {(topic, 0): position(9, b"9")}) == []


async def test_quiet_for_longer_than_retention_behind_a_transaction(kafka: KafkaCluster) -> None:
    """Retention takes the marker behind the last record too; who did not come so far is stopped."""
    topic = await new_topic(kafka, "reader.quiet-transaction", [])
    settings = kafka.settings(ADMINISTRATOR)
    async with AIOKafkaProducer(**aiokafka_options(settings), transactional_id="test:quiet") as producer:
        async with producer.transaction():
            await producer.send(topic, b"taken")
        async with PositionedReader(settings, {(topic, 0): None}) as reader:
            await committed(reader, 2)
            (taken,) = await read_to_end(reader)
            behind = reader.next_offsets()[topic, 0]
            assert (taken.offset, behind) == (0, 2)
        await delete_before(kafka, topic, 2)
        assert await read_all(kafka, {(topic, 0): replace(taken.position, reached=behind)}) == []
        with pytest.raises(PositionLost):
            await read_all(kafka, {(topic, 0): taken.position})
        async with producer.transaction():
            await producer.send(topic, b"next")
    async with PositionedReader(settings, {(topic, 0): replace(taken.position, reached=behind)}) as reader:
        await committed(reader, 4)
        assert values(await read_to_end(reader)) == [b"next"]


async def delete_before(kafka: KafkaCluster, topic: str, offset: int) -> None:
    """What retention does, now."""
    async with kafka.administration() as administration:
        where = TopicPartition(topic, 0, offset)
        await administration._result(administration._client.delete_records([where])[where], "deleting records")


async def test_deleted_and_created_again_under_a_running_reader(kafka: KafkaCluster) -> None:
    """The new topic is already longer than the position: without identities it would be read on in silence."""
    topic = await new_topic(kafka, "reader.recreated", numbered(0, 9))
    async with PositionedReader(kafka.settings(ADMINISTRATOR), {(topic, 0): None}) as reader:
        assert values(await read_to_end(reader)) == numbered(0, 9)
        await delete_topic(kafka, topic)
        await new_topic(kafka, topic, numbered(100, 199))
        with pytest.raises(PositionLost) as lost:
            await read_until_it_ends(reader)
    assert (lost.value.code, lost.value.retriable) == ("topic-recreated", False)


async def test_deleted_and_created_again_but_shorter(kafka: KafkaCluster) -> None:
    """The broker says that the offset is out of range; the reader says why."""
    topic = await new_topic(kafka, "reader.recreated-short", numbered(0, 9))
    async with PositionedReader(kafka.settings(ADMINISTRATOR), {(topic, 0): None}) as reader:
        assert values(await read_to_end(reader)) == numbered(0, 9)
        await delete_topic(kafka, topic)
        await new_topic(kafka, topic, numbered(100, 101))
        with pytest.raises(PositionLost) as lost:
            await read_until_it_ends(reader)
    assert lost.value.code == "topic-recreated"


async def test_a_deleted_topic_is_a_named_error(kafka: KafkaCluster) -> None:
    """A topic that is gone does not look like one without news."""
    topic = await new_topic(kafka, "reader.deleted", numbered(0, 9))
    async with PositionedReader(kafka.settings(ADMINISTRATOR), {(topic, 0): None}) as reader:
        await read_to_end(reader)
        await delete_topic(kafka, topic)
        with pytest.raises(BusError) as missing:
            await read_until_it_ends(reader)
        with pytest.raises(BusError):
            await reader.end_offsets()
    assert (missing.value.code, missing.value.retriable) == ("topic-missing", True)


async def read_until_it_ends(reader: PositionedReader) -> None:
    """Read on; whatever is handed out must be an error."""
    async with asyncio.timeout(PATIENCE):
        while True:
            assert await reader.read(0.1) == []


async def read_what_was_fetched(reader: PositionedReader) -> None:
    """Read on, past what was fetched before, until there is an error."""
    async with asyncio.timeout(PATIENCE):
        while True:
            await reader.read(0.5, max_records=1)


async def test_cut_under_a_running_reader(kafka: KafkaCluster) -> None:
    """A reader slower than retention is told, instead of going on behind the hole."""
    topic = await new_topic(kafka, "reader.overtaken", [bytes(500_000)] * 9)
    async with PositionedReader(kafka.settings(ADMINISTRATOR), {(topic, 0): None}) as reader:
        await reader.read(PATIENCE, max_records=1)
        await delete_before(kafka, topic, 9)
        with pytest.raises(PositionLost) as lost:
            await read_what_was_fetched(reader)
    assert lost.value.code == "position-out-of-range"


async def test_transactions_are_read_when_committed(kafka: KafkaCluster) -> None:
    """Open and aborted ones are not seen, their markers are passed, and the end is the last stable offset."""
    topic = await new_topic(kafka, "reader.transactions", [b"plain"])
    producer = AIOKafkaProducer(**aiokafka_options(kafka.settings(ADMINISTRATOR)), transactional_id="test:reader")
    await producer.start()
    try:
        async with PositionedReader(kafka.settings(ADMINISTRATOR), {(topic, 0): None}) as reader:
            await producer.begin_transaction()
            await producer.send_and_wait(topic, b"aborted")
            await producer.abort_transaction()
            await producer.begin_transaction()
            await producer.send_and_wait(topic, b"committed")
            await producer.commit_transaction()
            # A commit is decided before its marker is written, and only the marker shows the records.
            assert await read_values(reader, 2) == [b"plain", b"committed"]
            assert set((await reader.lag()).values()) == {0}

            await producer.begin_transaction()
            await producer.send_and_wait(topic, b"open")
            assert await reader.read(0.2) == []
            assert reader.reached(await reader.end_offsets())
            assert set((await reader.unstable()).values()) == {1}
            await producer.commit_transaction()
            assert await read_values(reader, 1) == [b"open"]
            assert reader.reached(await reader.end_offsets())
    finally:
        await producer.stop()


async def read_values(reader: PositionedReader, count: int) -> list[bytes | None]:
    """Values of the next `count` records."""
    found: list[bytes | None] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            found += values(await reader.read(0.1))
    return found


async def test_topics_can_be_added_while_running(kafka: KafkaCluster) -> None:
    """A gateway takes another body's inbox; the others go on where they are, a bad position adds nothing."""
    first = await new_topic(kafka, "reader.first", numbered(0, 4))
    second = await new_topic(kafka, "reader.second", numbered(10, 14))
    settings = kafka.settings(ADMINISTRATOR)
    async with PositionedReader(settings, {(first, 0): None}, fetch_wait_seconds=0.2) as reader:
        assert values(await reader.read(PATIENCE, max_records=2)) == numbered(0, 1)
        with pytest.raises(PositionLost):
            await reader.add({(second, 0): position(0, b"another")})
        assert set(await reader.end_offsets()) == {(first, 0)}
        await reader.add({(second, 0): position(1, b"11")})
        assert await reader.lag() == {(first, 0): 3, (second, 0): 3}
        found = await read_to_end(reader)
    assert [r.value for r in found if isinstance(r, Record) and r.topic == first] == numbered(2, 4)
    assert [r.value for r in found if isinstance(r, Record) and r.topic == second] == numbered(12, 14)


async def test_a_body_reads_its_own_inbox_and_what_is_for_all(kafka: KafkaCluster) -> None:
    """Nobody else's inbox, no submissions, no journal: not even whether they hold something."""
    own = {(topic, 0): None for topic in (inbox("alpha"), DIRECTORY, CHECKPOINTS)}
    async with PositionedReader(kafka.settings("alpha"), own) as reader:
        await reader.end_offsets()
    for topic in (inbox("beta"), SUBMISSIONS, JOURNAL, "exchange.dead-letters", "exchange.sequences"):
        with pytest.raises(BusError) as refused:
            async with PositionedReader(kafka.settings("alpha"), {(topic, 0): None}) as reader:
                await read_until_it_ends(reader)
        assert (refused.value.code, refused.value.retriable) == ("access-denied", False), topic


async def test_rights_taken_away_under_a_running_reader(kafka: KafkaCluster) -> None:
    """A suspended body is told so."""
    async with kafka.administration() as administration:
        await administration.ensure_topics([inbox_topic("suspended", SHAPE)])
        await administration.ensure_access(body_grants("suspended"))
        async with PositionedReader(kafka.settings("suspended"), {(inbox("suspended"), 0): None}) as reader:
            assert await reader.read(0.1) == []
            await administration.revoke(body_grants("suspended"))
            with pytest.raises(BusError) as refused:
                await read_until_it_ends(reader)
    assert refused.value.code == "access-denied"


async def test_reads_on_over_a_broker_killed(kafka: KafkaCluster) -> None:
    """While the broker is away `read` says so; afterwards nothing is missing or doubled."""
    topic = await new_topic(kafka, "reader.killed", numbered(0, 99))
    broker = kafka.server.brokers[0]
    found = []
    async with PositionedReader(kafka.settings(ADMINISTRATOR), {(topic, 0): None}) as reader:
        found += await reader.read(PATIENCE, max_records=10)
        await asyncio.to_thread(broker.kill)
        with pytest.raises(BusError) as away:
            await reader.end_offsets()
        assert (away.value.code, away.value.retriable) == ("bus-unavailable", True)
        broker.start()
        await asyncio.to_thread(kafka.server.wait_ready)
        while len(found) < 100:
            with suppress(BusError):
                found += await reader.read(0.5, max_records=10)
    assert values(found) == numbered(0, 99)


async def test_without_a_broker_it_says_so(kafka: KafkaCluster) -> None:
    """Opening ends with a retriable error when nobody answers."""
    settings = kafka.settings("alpha")
    nobody = type(settings)("127.0.0.1:9", settings.ca, settings.certificate, settings.key)
    with pytest.raises(BusError) as away:
        async with PositionedReader(nobody, {(inbox("alpha"), 0): None}):
            pass
    assert (away.value.code, away.value.retriable) == ("bus-unavailable", True)


async def test_a_reader_that_is_not_open(kafka: KafkaCluster) -> None:
    """A program's mistake is told as one."""
    with pytest.raises(BusError) as closed:
        await PositionedReader(kafka.settings(ADMINISTRATOR), {(JOURNAL, 0): None}).read(0.0)
    assert closed.value.code == "reader-closed"
