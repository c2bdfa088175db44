"""Reads single records of a topic by their places, in any order: what a list of letters needs of a long journal.

Unlike `exchange.bus.reader` it keeps no position: who asks names each record and says by a digest of its own
whether it is the right one.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient

from exchange.bus.connection import KafkaSettings
from exchange.bus.consuming import consuming, stand_at
from exchange.bus.errors import CLIENT_ERRORS, bus_error
from exchange.bus.lookup import End, offsets
from exchange.bus.records import Record, Taken, read_batch

Offset = tuple[int, int]
"""A record's partition and offset."""

NEAR = 200
"""Offsets that are read over rather than sought past: a new question costs more than so many small records."""
_PARTITION_BYTES = 256 * 1024
_ANSWER_SECONDS = 30.0
_ROUND_SECONDS = 1.0
_RECORDS = 500


class RecordPicker:
    """Reads records of one topic by their places; see `open_picker`. For one task.

    Ordering and durability: none of its own; what is asked for again is read again.
    """

    def __init__(self, consumer: AIOKafkaConsumer, topic: str) -> None:
        """Read with `consumer`, which is nobody else's."""
        self._consumer = consumer
        self._topic = topic

    async def pick(self, places: Iterable[Offset]) -> dict[Offset, Record]:
        """The records at `places`; those that are none (gone, aborted, a marker, not to be unpacked) are left out.

        Raises:
            BusError: `bus-unavailable`, `topic-missing`, `access-denied`.
        """
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                wanted = await self._present(self._consumer._client, places)  # noqa: SLF001 - its own connection
                return await self._read(self._consumer, wanted) if wanted else {}
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
        stand_at(consumer, {(self._topic, partition): those[-1] for partition, those in wanted.items()})
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


@asynccontextmanager
async def open_picker(settings: KafkaSettings, topic: str) -> AsyncIterator[RecordPicker]:
    """Connect; closed in the end.

    Raises:
        BusError: `bus-unavailable`, `access-denied`.
    """
    limits = {"max_partition_fetch_bytes": _PARTITION_BYTES, "fetch_max_wait_ms": 100}
    async with consuming(settings, _ANSWER_SECONDS, **limits) as consumer:
        yield RecordPicker(consumer, topic)


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
