"""Reads single records of a topic by their places, in any order: what a list of letters needs of a long journal.

Unlike `exchange.bus.reader` it keeps no position: who asks names each record and says by a digest of its own
whether it is the right one.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient

from exchange.bus.batches import bound_batches
from exchange.bus.closing import close_consumer
from exchange.bus.connection import KafkaSettings, aiokafka_options
from exchange.bus.errors import CLIENT_ERRORS, bus_error
from exchange.bus.lookup import End, offsets
from exchange.bus.records import Record, Taken, read_batch
from exchange.domain.errors import BusError

Offset = tuple[int, int]
"""A record's partition and offset."""

NEAR = 200
"""Offsets that are read over rather than sought past: a new question costs more than so many small records."""
_PARTITION_BYTES = 256 * 1024
_ANSWER_SECONDS = 30.0
_ROUND_SECONDS = 1.0
_RECORDS = 500


class RecordPicker:
    """Reads records of one topic by their places. For one task; `async with` opens it.

    Ordering and durability: none of its own; what is asked for again is read again.
    """

    def __init__(self, settings: KafkaSettings, topic: str) -> None:
        """Describe it; nothing is opened."""
        self._settings = settings
        self._topic = topic
        self._consumer: AIOKafkaConsumer | None = None

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            BusError: `bus-unavailable`, `access-denied`.
        """
        bound_batches()
        consumer = AIOKafkaConsumer(
            **aiokafka_options(self._settings),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            max_partition_fetch_bytes=_PARTITION_BYTES,
            fetch_max_wait_ms=100,
        )
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await consumer.start()
        except CLIENT_ERRORS as error:
            await close_consumer(consumer)
            raise bus_error(error, f"connecting to {self._settings.bootstrap}") from error
        except BaseException:
            await close_consumer(consumer)
            raise
        self._consumer = consumer
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        if self._consumer is not None:
            await close_consumer(self._consumer)
            self._consumer = None

    async def pick(self, places: Iterable[Offset]) -> dict[Offset, Record]:
        """The records at `places`; those that are none (gone, aborted, a marker, not to be unpacked) are left out.

        Raises:
            BusError: `bus-unavailable`, `topic-missing`, `access-denied`.
        """
        consumer = self._opened()
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                wanted = await self._present(consumer._client, places)  # noqa: SLF001 - its own connection
                return await self._read(consumer, wanted) if wanted else {}
        except CLIENT_ERRORS as error:
            raise bus_error(error, f"reading single records of {self._topic}") from error

    async def _present(self, client: AIOKafkaClient, places: Iterable[Offset]) -> dict[int, list[int]]:
        """What to read of each partition, the last first, as far as the topic has it."""
        wanted: defaultdict[int, set[int]] = defaultdict(set)
        for partition, offset in places:
            wanted[partition].add(offset)
        partitions = [(self._topic, partition) for partition in wanted]
        await client.set_topics({self._topic})
        begins = await offsets(client, partitions, End.BEGIN)
        ends = await offsets(client, partitions, End.STABLE)
        found = {}
        for partition, those in wanted.items():
            bounds = range(begins[self._topic, partition], ends[self._topic, partition])
            if present := sorted((offset for offset in those if offset in bounds), reverse=True):
                found[partition] = present
        return found

    async def _read(self, consumer: AIOKafkaConsumer, wanted: dict[int, list[int]]) -> dict[Offset, Record]:
        found: dict[Offset, Record] = {}
        self._seek(consumer, {partition: those[-1] for partition, those in wanted.items()})
        while wanted:
            came = _by_partition(await read_batch(consumer, _ROUND_SECONDS, _RECORDS))
            for partition, those in list(wanted.items()):
                where = TopicPartition(self._topic, partition)
                found |= _matched(those, came.get(partition, ()))
                # The consumer moves over markers of transactions, too: behind the last record nothing else tells.
                position = await consumer.position(where)
                while those and those[-1] < position:
                    those.pop()
                if not those:
                    del wanted[partition]
                    consumer.pause(where)
                elif those[-1] > position + NEAR:
                    consumer.seek(where, those[-1])
        return found

    def _seek(self, consumer: AIOKafkaConsumer, starts: Mapping[int, int]) -> None:
        consumer.assign([TopicPartition(self._topic, partition) for partition in starts])
        for partition, start in starts.items():
            # Before the event loop runs again, or the fetcher would look for a committed offset.
            consumer.seek(TopicPartition(self._topic, partition), start)

    def _opened(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            message = "the picker is not open: use it in `async with`"
            raise BusError(message, code="reader-closed", retriable=False)
        return self._consumer


def _by_partition(records: Sequence[Taken]) -> dict[int, list[Taken]]:
    found: defaultdict[int, list[Taken]] = defaultdict(list)
    for record in records:
        found[record.partition].append(record)
    return found


def _matched(wanted: list[int], records: Sequence[Taken]) -> dict[Offset, Record]:
    """Those of `records` that are wanted; takes off what was met or passed."""
    found: dict[Offset, Record] = {}
    for record in records:
        while wanted and wanted[-1] < record.offset:
            wanted.pop()
        if wanted and wanted[-1] == record.offset:
            wanted.pop()
            if isinstance(record, Record):
                found[record.partition, record.offset] = record
    return found
