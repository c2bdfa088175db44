"""An agent's producer: records in order, acknowledged by all in-sync copies, or an error.

Not Kafka's idempotent one (ADR 0007): the broker does not check whose producer id a batch bears, and all
bodies write to the same lanes. So a hostile body could have another's records acknowledged and dropped as
its own repeats, or have it fenced. What a repeat after a lost answer doubles, the router recognises by its
number (rules 2.3, 2.4).

One batch is under way per partition, so a failed one leaves nothing behind it. After any failure this
producer is dropped and the next call starts a new one; the caller goes back to the first statement not
proven taken.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from exchange.bus.closing import close_producer
from exchange.bus.connection import KafkaSettings, aiokafka_options
from exchange.bus.errors import CLIENT_ERRORS, bus_error
from exchange.bus.line import watch_silence
from exchange.bus.topics import SUBMISSION_BATCH_BYTES
from exchange.domain.errors import BusError


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to write."""

    value: bytes | None
    key: bytes | None = None
    headers: list[tuple[str, bytes]] = field(default_factory=list)


def _ignore(_seconds: float) -> None:
    """Nobody wants to know of throttling."""


class SubmissionProducer:
    """Writes for one principal; a gateway shares one among its bodies.

    Durability: `send` returns when every record is in all in-sync copies. Ordering: the records of
    one call, and calls one after the other, keep their order in a partition. Concurrency: several
    tasks may send at the same time; a failure of one makes the others fail too.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        on_throttled: Callable[[float], None] = _ignore,
        delivery_seconds: float | None = None,
        batch_bytes: int = SUBMISSION_BATCH_BYTES,
    ) -> None:
        """Describe it; nothing is opened before the first `send`.

        Args:
            settings: where and who.
            on_throttled: told how many seconds the broker makes us wait for having used up the quota.
            delivery_seconds: how long one call may take before it counts as failed; that of the line when left out.
            batch_bytes: records are put together up to so many bytes; no more than the topic takes.
        """
        self._settings = settings
        self._on_throttled = on_throttled
        self._delivery_seconds = settings.line.delivery_seconds if delivery_seconds is None else delivery_seconds
        self._batch_bytes = batch_bytes
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self.throttled_seconds = 0.0
        """Last wait that the broker named; 0.0 when it names none."""

    async def __aenter__(self) -> Self:
        """Nothing is opened yet: an agent starts while the exchange is away."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what is open, within seconds."""
        if self._producer is not None:
            await self._drop(self._producer)

    async def send(self, records: Sequence[Outgoing], *, topic: str, partition: int) -> None:
        """Write `records` in their order; when this returns all are taken.

        Nothing is sent behind a record that failed, so what is in the topic is a beginning of
        `records`, though some perhaps twice: a batch whose answer was lost, or what the caller sent again.

        Raises:
            BusError: `bus-unavailable`, `bus-slow` (wait longer than usual), `topic-missing`,
                `access-denied`, `record-too-large`. Some records may have been written.
        """
        doing = f"writing to {topic}/{partition}"
        try:
            async with asyncio.timeout(self._delivery_seconds):
                producer = await self._started()
                for batch in batches_of(producer, records):
                    await self._deliver(producer, batch, topic, partition)
        except TimeoutError as error:
            if not self.throttled_seconds:
                raise bus_error(error, doing) from error
            message = (
                f"{doing}: not taken within {self._delivery_seconds:.0f} s, our quota is used up; send less for a while"
            )
            raise BusError(message, code="bus-slow") from error
        except CLIENT_ERRORS as error:
            raise bus_error(error, doing) from error

    async def _deliver(self, producer: AIOKafkaProducer, batch: BatchBuilder, topic: str, partition: int) -> None:
        try:
            delivery = await producer.send_batch(batch, topic, partition=partition)
            await delivery
        except BaseException:
            # Also when cancelled: whether the batch was taken is unknown, so nothing may follow it.
            await asyncio.shield(self._drop(producer))
            raise

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **aiokafka_options(self._settings),
                    acks="all",
                    compression_type=None,
                    max_batch_size=self._batch_bytes,
                    linger_ms=0,
                )
                try:
                    await producer.start()
                except BaseException:
                    await asyncio.shield(close_producer(producer))
                    raise
                self._watch_throttling(producer)
                watch_silence(producer.client, self._settings.line)
                self._producer = producer
            return self._producer

    def _watch_throttling(self, producer: AIOKafkaProducer) -> None:
        """See every answer on its way: aiokafka itself does not look at `throttle_time_ms`."""
        send = producer.client.send

        async def watching(*arguments: Any, **options: Any) -> Any:
            response = await send(*arguments, **options)
            seconds = getattr(response, "throttle_time_ms", 0) / 1000
            self.throttled_seconds = seconds
            if seconds:
                self._on_throttled(seconds)
            return response

        producer.client.send = watching

    async def _drop(self, producer: AIOKafkaProducer) -> None:
        if self._producer is producer:
            self._producer = None
        await close_producer(producer)


def batches_of(producer: AIOKafkaProducer, records: Sequence[Outgoing]) -> Iterator[BatchBuilder]:
    """Fill batches ourselves: 2 µs a record instead of 13-20 through `send`."""
    batch = producer.create_batch()
    for record in records:
        if not _append(batch, record):
            yield batch
            batch = producer.create_batch()
            _append(batch, record)  # the first record of a batch always fits; the broker judges its size
    if batch.record_count():
        yield batch


def _append(batch: BatchBuilder, record: Outgoing) -> bool:
    added = batch.append(timestamp=None, key=record.key, value=record.value, headers=record.headers)
    return added is not None
