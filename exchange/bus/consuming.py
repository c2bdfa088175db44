"""A consumer in no group that reads what is decided: how it is opened and closed, and stands where it is told to.

Nobody else moves it: what a group's offsets would say, whoever reads here knows better.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from exchange.bus.batches import bound_batches
from exchange.bus.closing import close_consumer
from exchange.bus.connection import KafkaSettings, aiokafka_options
from exchange.bus.errors import CLIENT_ERRORS, bus_error
from exchange.bus.lookup import Partition


@asynccontextmanager
async def consuming(settings: KafkaSettings, start_seconds: float, **limits: int) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer that is connected and has nothing to read yet; closed in the end.

    Args:
        settings: where and who.
        start_seconds: how long connecting may take.
        limits: how much one answer brings and how long the brokers may wait with it, in aiokafka's words.

    Raises:
        BusError: `bus-unavailable`, `access-denied`.
    """
    bound_batches()
    consumer = AIOKafkaConsumer(
        **aiokafka_options(settings),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        **limits,
    )
    try:
        try:
            async with asyncio.timeout(start_seconds):
                await consumer.start()
        except CLIENT_ERRORS as error:
            raise bus_error(error, f"connecting to {settings.bootstrap}") from error
        yield consumer
    finally:
        await close_consumer(consumer)


def stand_at(consumer: AIOKafkaConsumer, starts: Mapping[Partition, int]) -> None:
    """Let a consumer read these partitions and no others, each from an offset on."""
    consumer.assign([TopicPartition(*partition) for partition in starts])
    for partition, start in starts.items():
        # Before the event loop runs again, or the fetcher would look for a committed offset.
        consumer.seek(TopicPartition(*partition), start)
