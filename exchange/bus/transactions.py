"""Transactional producers: each fences whoever had its name before, and writes all of a transaction or nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer

from exchange.bus.closing import close_producer
from exchange.bus.connection import KafkaSettings, aiokafka_options
from exchange.bus.errors import CLIENT_ERRORS, bus_error
from exchange.bus.producer import Outgoing, batches_of

TRANSACTION_SECONDS = 10
START_SECONDS = 30
COMMIT_SECONDS = 15.0
"""Longer than a transaction may live: what has not ended by then is found out by starting again."""
BATCH_BYTES = 1_250_000
"""Produce batch per target partition: above the largest journal record, below the topics' limit."""
REQUEST_BATCHES = 250
"""aiokafka puts all that waits into one request. A circular goes to a thousand partitions: in four requests it is
written in two thirds of the time, and the event loop pauses for a third."""

Writes = Mapping[tuple[str, int], Sequence[Outgoing]]
"""What one transaction writes, by (topic, partition)."""


def transactional(settings: KafkaSettings, name: str) -> AIOKafkaProducer:
    """A producer, not started; its `start` ends the open transaction of its predecessor of that name, and fences it."""
    return AIOKafkaProducer(
        **aiokafka_options(settings),
        transactional_id=name,
        transaction_timeout_ms=TRANSACTION_SECONDS * 1000,
        max_batch_size=BATCH_BYTES,
        linger_ms=0,
    )


async def commit(producer: AIOKafkaProducer, writes: Writes) -> None:
    """Write everything in one transaction; when this returns it will be seen, and readers see it at once or soon.

    Raises:
        Exception: any of aiokafka's, `AssertionError` and `ProducerFenced` too: nothing or
            everything was written; start a producer of the same name to find out which.
    """
    async with asyncio.timeout(COMMIT_SECONDS):
        await producer.begin_transaction()
        sent = []
        for (topic, partition), records in writes.items():
            for batch in batches_of(producer, records):
                delivery = await producer.send_batch(batch, topic, partition=partition)
                delivery.add_done_callback(_look_at)
                sent.append(delivery)
                if len(sent) == REQUEST_BATCHES:
                    await asyncio.gather(*sent)
                    sent = []
        await asyncio.gather(*sent)
        await producer.commit_transaction()


class SoleWriter:
    """Writes as the only one of its name: `async with` fences every predecessor. For one task."""

    def __init__(self, settings: KafkaSettings, name: str) -> None:
        """Nothing is opened.

        Args:
            settings: where and who.
            name: transactional id.
        """
        self._settings = settings
        self._name = name
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> Self:
        """Fence whoever wrote under this name; what it had not committed never counts.

        Raises:
            BusError: Kafka could not be reached within 30 s, or refused.
        """
        producer = transactional(self._settings, self._name)
        try:
            async with asyncio.timeout(START_SECONDS):
                await producer.start()
        except CLIENT_ERRORS as error:
            await asyncio.shield(close_producer(producer))
            raise bus_error(error, f"becoming the only {self._name}") from error
        except BaseException:
            await asyncio.shield(close_producer(producer))
            raise
        self._producer = producer
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go, within seconds."""
        if self._producer is not None:
            await close_producer(self._producer)
            self._producer = None

    async def write(self, writes: Writes) -> None:
        """Write everything in one transaction.

        Raises:
            BusError: nothing or everything was written, another one of this name may have begun: leave the context.
        """
        if self._producer is None:
            message = "the producer is not started: use it in `async with`"
            raise bus_error(RuntimeError(message), f"writing as {self._name}")
        try:
            await commit(self._producer, writes)
        except CLIENT_ERRORS as error:
            raise bus_error(error, f"writing as {self._name}") from error


def _look_at(delivery: "asyncio.Future[Any]") -> None:
    """Nobody else does when a later send fails first, and asyncio complains of what nobody looks at."""
    if not delivery.cancelled():
        delivery.exception()
