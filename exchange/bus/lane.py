"""A lane of the router: consume, decide elsewhere, produce, exactly once.

The recipe, with the reasons beside it (aiokafka 0.14.0 on Kafka 4.4, measured; `docs/design.md`):

1.  One transactional producer per lane, `router:<lane>`. aiokafka speaks TxnOffsetCommit v0 without
    KIP-447, so a producer per process would not be fenced by the group: 20 of 40 records doubled in
    a forced rebalance.
2.  Where a lane goes on stands in `exchange.sequences` beside its origins, written in the same
    transaction. Nothing is sent to the group: `committed()` may silently answer None.
3.  The group (`lane_group`) only says which lanes are ours. Two owners at once do no harm: whoever
    armed last has fenced the other.
4.  Arming, in the lane's own task: start the producer (InitProducerId ends the predecessor's open
    transaction and bumps the epoch), then read the sequences partition to its end, then seek.
    In that order: what the predecessor could still commit is in what we read.
5.  Any exception whatever: close and arm again. aiokafka speaks transaction protocol v1, where only
    InitProducerId bumps the epoch, so a transaction is never aborted and gone on from.
6.  Every send future is awaited before the commit: a commit succeeds although sends failed.
"""

import asyncio
from collections.abc import Collection

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.producer import sender

from exchange.bus.access import ROUTER_TRANSACTIONS
from exchange.bus.batches import bound_batches
from exchange.bus.closing import close_consumer, close_producer
from exchange.bus.connection import KafkaSettings, aiokafka_options
from exchange.bus.lookup import End, offsets
from exchange.bus.records import Record, Taken, read_batch
from exchange.bus.topics import SEQUENCES, SUBMISSIONS
from exchange.bus.transactions import Writes, commit, transactional
from exchange.domain.errors import BusError

ARM_SECONDS = 30
DECIDED_SECONDS = 15.0
"""How long is waited for what others had begun."""
DECIDED_POLL_SECONDS = 0.1
SILENCE_SECONDS = 5.0
"""After so long without news we ask whether Kafka is there: its client would try for ever and not say so."""
FETCH_BYTES = 5 * 1024 * 1024
NEXT_FETCH_SECONDS = 0.05
SHORT_BACKOFF_SECONDS = 0.002


class Lane:
    """One lane while it is ours. Not shared between tasks, but `read` may run beside `commit`."""

    def __init__(self, settings: KafkaSettings, lane: int, source: tuple[str, int] | None = None) -> None:
        """Nothing is opened before `arm`.

        Args:
            settings: where and who.
            lane: its number.
            source: topic and partition that it reads; the partition of submissions with that number when left out.
        """
        self._settings = settings
        self._lane = lane
        self._source = source or (SUBMISSIONS, lane)
        self._producer: AIOKafkaProducer | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._heard = 0.0
        self._behind = False

    async def arm(self) -> dict[bytes, bytes]:
        """Fence every predecessor and return the lane's committed state, latest value by key.

        Raises:
            BusError: `lane-state-lost`: the state's beginning is gone; or Kafka could not be reached within 30 s.
        """
        shorten_transaction_backoff()
        bound_batches()
        async with asyncio.timeout(ARM_SECONDS):
            self._producer = transactional(self._settings, f"{ROUTER_TRANSACTIONS}{self._lane}")
            await self._producer.start()
            return await self._committed_state()

    async def know(self, topics: Collection[str]) -> None:
        """Learn where `topics` are, before the first write to them: all at once, which takes 0.1 s.

        And wait until all that is in them is decided. Fencing has ended what a predecessor had begun; but the
        coordinator of Kafka 4.4 passes over a partition that has no leader (KAFKA-20734), and our next commit
        there would make records count that were taken back.

        Args:
            topics: every topic that the lane may write to.

        Raises:
            BusError: no broker answers; `topic-missing`: create the body's topics before its directory entry;
                `transaction-hanging`: something stays undecided for 15 s.
        """
        client = self._armed_producer().client
        if not await client.set_topics(sorted(topics)):
            raise BusError("no broker says where the topics are: the lane is armed again")
        missing = set(topics) - set(client.cluster.topics())
        if missing:
            await client.set_topics(sorted(set(topics) - missing))  # or it would not look when it is asked again
            message = f"{len(missing)} topics are missing, first '{min(missing)}': create them, then the lane goes on"
            raise BusError(message, code="topic-missing")
        await _all_decided(client, topics)

    async def start_at(self, offset: int) -> None:
        """Begin to read its source at `offset`; an offset that is gone is an error, never a reset."""
        partition = TopicPartition(*self._source)
        self._consumer = AIOKafkaConsumer(
            **aiokafka_options(self._settings),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        await self._consumer.start()
        self._consumer.assign([partition])
        self._consumer.seek(partition, offset)
        self._heard = asyncio.get_running_loop().time()

    async def read(self, timeout: float, max_records: int) -> list[Taken]:  # noqa: ASYNC109
        """The next submissions in order, less than two fetches of 5 MB; empty after `timeout` seconds without any.

        The rest of a fetch that was larger than `max_records` is joined by the next one, which is on its
        way: a transaction of 200 records costs the broker as much as one of 2,000.

        Raises:
            BusError: there was nothing for a while, and the partition's leader does not answer.
        """
        if self._consumer is None:
            message = "the lane is not armed"
            raise BusError(message)
        found = await read_batch(self._consumer, timeout, max_records)
        if self._behind and 0 < len(found) < max_records:
            found += await read_batch(self._consumer, NEXT_FETCH_SECONDS, max_records - len(found))
        self._behind = len(found) == max_records
        now = asyncio.get_running_loop().time()
        if not found and now - self._heard >= SILENCE_SECONDS:
            await self.end()
            self._heard = now
        elif found:
            self._heard = now
        return found

    async def end(self) -> int:
        """Where its source ends now: behind all that was taken, that is in all in-sync copies.

        Raises:
            BusError: the partition's leader does not answer, or the lane is not armed.
        """
        if self._consumer is None:
            message = "the lane is not armed"
            raise BusError(message)
        found = await offsets(self._consumer._client, [self._source], End.WRITTEN)  # noqa: SLF001
        return found[self._source]

    async def commit(self, writes: Writes) -> None:
        """Write everything in one transaction; when this returns it will be seen, and readers see it at once or soon.

        Raises:
            Exception: any of aiokafka's, `AssertionError` and `ProducerFenced` too: nothing or
                everything was written; close and arm again to find out which.
        """
        await commit(self._armed_producer(), writes)

    async def close(self) -> None:
        """Let go, within seconds. What the producer still holds is not sent: its successor fences it."""
        if self._consumer is not None:
            self._close_later(self._consumer)
        if self._producer is not None:
            await close_producer(self._producer)
        self._consumer = self._producer = None
        await asyncio.gather(*self._closing)

    def _close_later(self, consumer: AIOKafkaConsumer) -> None:
        """Close beside the work: a consumer with a fetch under way may need seconds."""
        task = asyncio.create_task(close_consumer(consumer))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _armed_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            message = "the lane is not armed"
            raise BusError(message)
        return self._producer

    async def _committed_state(self) -> dict[bytes, bytes]:
        """Read the lane's sequences partition up to its last stable offset."""
        partition = TopicPartition(SEQUENCES, self._lane)
        consumer = AIOKafkaConsumer(
            **aiokafka_options(self._settings),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        state: dict[bytes, bytes] = {}
        try:
            await consumer.start()
            consumer.assign([partition])
            end = (await consumer.end_offsets([partition]))[partition]
            begin = (await consumer.beginning_offsets([partition]))[partition]
            if begin > 0:  # compaction never moves it: somebody deleted records
                message = (
                    f"{SEQUENCES}/{self._lane} begins at {begin}: origins are missing; restore it, and do not go on"
                )
                raise BusError(message, code="lane-state-lost", retriable=False)
            consumer.seek(partition, begin)
            while await consumer.position(partition) < end:
                for record in await read_batch(consumer, timeout=1.0, max_records=5000):
                    if isinstance(record, Record) and record.key is not None and record.value is not None:
                        state[record.key] = record.value
        finally:
            self._close_later(consumer)
        return state


async def _all_decided(client: AIOKafkaClient, topics: Collection[str]) -> None:
    """Wait until what is written now in every partition of `topics` is committed or taken back."""
    partitions = [(topic, number) for topic in topics for number in client.cluster.partitions_for_topic(topic)]
    written = await offsets(client, partitions, End.WRITTEN)
    deadline = asyncio.get_running_loop().time() + DECIDED_SECONDS
    while True:
        stable = await offsets(client, partitions, End.STABLE)
        partitions = [partition for partition in partitions if stable[partition] < written[partition]]
        if not partitions:
            return
        if asyncio.get_running_loop().time() > deadline:
            topic, number = min(partitions)
            message = f"{topic}/{number} holds a transaction that does not end, {len(partitions)} partitions in all"
            raise BusError(f"{message}: see that each has a leader", code="transaction-hanging")
        await asyncio.sleep(DECIDED_POLL_SECONDS)


def shorten_transaction_backoff() -> None:
    """Wait 2 ms instead of 20 when the broker still finishes the transaction before.

    aiokafka has no option for it; a lane under load commits 290 instead of 115 times a second.
    """
    sender.BACKOFF_OVERRIDE = SHORT_BACKOFF_SECONDS
