"""The agent's producer on a real broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import groupby

import pytest
from aiokafka import AIOKafkaProducer

from exchange.bus.access import body_grants
from exchange.bus.connection import KafkaSettings, aiokafka_options
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.quotas import Quota, set_quotas
from exchange.bus.records import Record
from exchange.bus.topics import SUBMISSION_BATCH_BYTES, SUBMISSIONS
from exchange.domain.errors import BusError
from tests.bus.batches import batch, produce, record
from tests.bus.support import make_topic, numbered, read_all, values
from tests.patience import PATIENCE
from tests.plugin_kafka import ADMINISTRATOR, SHAPE, KafkaCluster

pytestmark = pytest.mark.server


def outgoing(values: list[bytes]) -> list[Outgoing]:
    """Records with nothing but a value."""
    return [Outgoing(value) for value in values]


async def test_records_arrive_in_order_with_key_and_headers(kafka: KafkaCluster) -> None:
    """What was sent is what is read, byte for byte, with the broker's time."""
    headers = [("ce_id", b"1"), ("ce_source", "/мфа".encode())]
    async with kafka.administration() as administration:
        topic = await make_topic(administration, "producer.order")
    async with SubmissionProducer(kafka.settings(ADMINISTRATOR)) as producer:
        await producer.send([Outgoing(b"first", b"alpha", headers), Outgoing(None, b"beta")], topic=topic, partition=0)
        await producer.send([], topic=topic, partition=0)
        await producer.send(outgoing(numbered(1, 1000)), topic=topic, partition=0)
    found = await read_all(kafka, topic)
    assert values(found) == [b"first", None, *numbered(1, 1000)]
    first = found[0]
    assert isinstance(first, Record)
    assert (first.topic, first.partition, first.offset, first.key) == (topic, 0, 0, b"alpha")
    assert first.headers == tuple(headers)
    assert first.timestamp.tzinfo is not None


async def test_batches_are_cut_at_their_limit(kafka: KafkaCluster) -> None:
    """More than one batch's bytes are several batches, still in order."""
    async with kafka.administration() as administration:
        topic = await make_topic(administration, "producer.cut")
    big = [bytes([number]) * 300_000 for number in range(10)]
    async with SubmissionProducer(kafka.settings(ADMINISTRATOR)) as producer:
        await producer.send(outgoing(big), topic=topic, partition=0)
    assert values(await read_all(kafka, topic)) == big


async def test_nothing_follows_a_record_that_is_refused(kafka: KafkaCluster) -> None:
    """The broker refuses one: what is behind it is not sent, and the next call works again."""
    async with kafka.administration() as administration:
        topic = await make_topic(administration, "producer.refused")
    too_large = bytes(SUBMISSION_BATCH_BYTES)
    async with SubmissionProducer(kafka.settings(ADMINISTRATOR)) as producer:
        with pytest.raises(BusError) as refused:
            await producer.send(outgoing([b"1", too_large, b"2"]), topic=topic, partition=0)
        assert (refused.value.code, refused.value.retriable) == ("record-too-large", False)
        await producer.send(outgoing([b"3"]), topic=topic, partition=0)
    assert values(await read_all(kafka, topic)) == [b"1", b"3"]


async def test_a_body_writes_submissions_and_nothing_else(kafka: KafkaCluster) -> None:
    """Write on submissions is all that its producer needs, and all that a body has."""
    async with SubmissionProducer(kafka.settings("alpha")) as producer:
        await producer.send(outgoing([b"letter"]), topic=SUBMISSIONS, partition=SHAPE.lanes - 1)
        for topic in ("exchange.journal", "exchange.inbox.beta", "exchange.inbox.alpha", "exchange.directory"):
            with pytest.raises(BusError) as refused:
                await producer.send(outgoing([b"forged"]), topic=topic, partition=0)
            assert (refused.value.code, refused.value.retriable) == ("access-denied", False)


async def test_a_partition_that_does_not_exist_is_an_error(kafka: KafkaCluster) -> None:
    """A lane that the cluster does not have ends the call, not the producer's owner."""
    async with SubmissionProducer(kafka.settings("alpha")) as producer:
        with pytest.raises(BusError):
            await producer.send(outgoing([b"letter"]), topic=SUBMISSIONS, partition=SHAPE.lanes)


async def test_a_slow_exchange_is_seen(kafka: KafkaCluster) -> None:
    """Over its quota a body is told how long the broker makes it wait."""
    waits: list[float] = []
    settings = kafka.settings("slow")
    async with kafka.administration() as administration:
        await administration.ensure_access(body_grants("slow"))
        await set_quotas(kafka.settings(ADMINISTRATOR), {"slow": Quota(100_000, 1e9, 1000)})
        async with SubmissionProducer(settings, on_throttled=waits.append) as producer, asyncio.timeout(PATIENCE):
            while not waits:  # the broker hears of the quota a moment later
                await send_more_than_the_quota(producer)
            assert producer.throttled_seconds == waits[-1] > 0
            producer._delivery_seconds = 0.5
            with pytest.raises(BusError) as slow:
                await send_on_and_on(producer)
            assert (slow.value.code, slow.value.retriable) == ("bus-slow", True)
        await administration.revoke(body_grants("slow"))


async def send_more_than_the_quota(producer: SubmissionProducer) -> None:
    """It is taken and answered with a wait, so the next takes that long."""
    await producer.send(outgoing([bytes(600_000)]), topic=SUBMISSIONS, partition=0)


async def send_on_and_on(producer: SubmissionProducer) -> None:
    """Until one is not taken in its time."""
    while True:
        await send_more_than_the_quota(producer)


async def test_no_exchange_is_a_retriable_error(kafka: KafkaCluster) -> None:
    """While no broker answers, a call ends within its time and leaves nothing behind."""
    broker = kafka.server.brokers[0]
    broker.pause()
    try:
        async with SubmissionProducer(kafka.settings("alpha"), delivery_seconds=1) as producer:
            with pytest.raises(BusError) as unavailable:
                await producer.send(outgoing([b"letter"]), topic=SUBMISSIONS, partition=0)
    finally:
        broker.resume()
    assert (unavailable.value.code, unavailable.value.retriable) == ("bus-unavailable", True)


async def test_a_delivery_that_hangs_is_given_up_for_good(kafka: KafkaCluster) -> None:
    """A producer that is dropped in mid-delivery sends nothing afterwards; the next one goes on."""
    async with kafka.administration() as administration:
        topic = await make_topic(administration, "producer.hangs")
    broker = kafka.server.brokers[0]
    async with SubmissionProducer(kafka.settings(ADMINISTRATOR)) as producer:
        await producer.send(outgoing([b"1"]), topic=topic, partition=0)
        producer._delivery_seconds = 3
        broker.pause()
        try:
            with pytest.raises(BusError):
                await producer.send(outgoing([b"2"]), topic=topic, partition=0)
            still_running = {task.get_coro().__qualname__ for task in asyncio.all_tasks()}  # type: ignore[union-attr]
        finally:
            broker.resume()
        assert not {name for name in still_running if name.startswith("Sender")}
    async with SubmissionProducer(kafka.settings(ADMINISTRATOR)) as producer:
        await producer.send(outgoing([b"3"]), topic=topic, partition=0)
    # The frozen broker may have had 2 in its socket: then it is taken, but before 3.
    assert values(await read_all(kafka, topic)) in ([b"1", b"3"], [b"1", b"2", b"3"])


async def test_all_who_send_at_the_same_time_are_told(kafka: KafkaCluster) -> None:
    """One delivery hangs, others wait behind it: all end with the call's time, and the next call works."""
    async with kafka.administration() as administration:
        topic = await make_topic(administration, "producer.together")
    broker = kafka.server.brokers[0]
    codes: list[str] = []
    async with SubmissionProducer(kafka.settings(ADMINISTRATOR)) as producer:
        await producer.send(outgoing([b"1"]), topic=topic, partition=0)
        producer._delivery_seconds = 3

        async def send() -> None:
            with pytest.raises(BusError) as failed:
                await producer.send(outgoing([b"2"]), topic=topic, partition=0)
            assert failed.value.retriable
            codes.append(failed.value.code)

        broker.pause()
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(3):
                    tasks.create_task(send())
        finally:
            broker.resume()
        producer._delivery_seconds = PATIENCE
        await producer.send(outgoing([b"3"]), topic=topic, partition=0)
    assert codes == ["bus-unavailable"] * 3
    assert values(await read_all(kafka, topic)) in ([b"1", b"3"], [b"1", b"2", b"3"])


async def test_nothing_is_lost_or_reordered_over_a_broker_killed(kafka: KafkaCluster) -> None:
    """3,000 records while the broker is killed and started again, in order; a batch may be there twice.

    What takes longer than the producer waits for an answer is an error, and said again from there, as agents do.
    """
    async with kafka.administration() as administration:
        topic = await make_topic(administration, "producer.killed")
    broker = kafka.server.brokers[0]
    sent = numbered(1, 3000)

    async def send_all() -> None:
        async with SubmissionProducer(kafka.settings(ADMINISTRATOR)) as producer:
            for start in range(0, len(sent), 10):
                await send_until_taken(producer, outgoing(sent[start : start + 10]), topic)
                await asyncio.sleep(0.002)

    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(send_all())
        await asyncio.sleep(0.3)
        assert not sending.done()
        await asyncio.to_thread(broker.kill)
        broker.start()
        await asyncio.to_thread(kafka.server.wait_ready)
    found = values(await read_all(kafka, topic))
    assert set(found) == set(sent)
    batches = [found[start : start + 10] for start in range(0, len(found), 10)]
    assert [batch for batch, _ in groupby(batches)] == [sent[start : start + 10] for start in range(0, len(sent), 10)]


async def send_until_taken(producer: SubmissionProducer, records: list[Outgoing], topic: str) -> None:
    """Go back to the first record not proven taken, for as long as it takes."""
    while True:
        try:
            await producer.send(records, topic=topic, partition=0)
        except BusError as error:
            assert error.retriable
        else:
            return


async def test_no_body_can_speak_as_another_bodys_producer(kafka: KafkaCluster) -> None:
    """Producer ids are numbers in a row that the broker checks nobody's right to; so ours bears none."""
    ahead = 30
    async with _started(kafka.settings("beta")) as hostile:
        following = range(hostile + 1, hostile + 1 + ahead)
    fencing = [batch(record(b"x"), producer=number, epoch=32_767, sequence=0) for number in following[::2]]
    swallowing = [batch(record(b"x"), producer=number, epoch=0, sequence=0) for number in following[1::2]]
    assert await produce(kafka.settings("beta"), SUBMISSIONS, fencing + swallowing) == [0] * ahead
    mine = numbered(70_001, 70_010)
    for value in mine:
        async with SubmissionProducer(kafka.settings("alpha")) as producer:
            await producer.send(outgoing([value]), topic=SUBMISSIONS, partition=0)
    found = values(await read_all(kafka, {(SUBMISSIONS, 0): None}))
    assert [value for value in found if value in mine] == mine


@asynccontextmanager
async def _started(settings: KafkaSettings) -> AsyncIterator[int]:
    """A Kafka client's own idempotent producer; its id."""
    producer = AIOKafkaProducer(**aiokafka_options(settings), enable_idempotence=True)
    await producer.start()
    try:
        yield producer._txn_manager.producer_id
    finally:
        await producer.stop()
