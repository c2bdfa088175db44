"""Closes aiokafka's clients within seconds, whatever state the brokers are in.

TLS says good-bye and waits for the answer. A broker does not read from us while it holds our long
poll, or while our quota is used up, and one that is frozen not at all: so we do not wait long.
"""

import asyncio
import logging
from collections.abc import Coroutine
from itertools import chain
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import ProducerClosed

CLOSE_SECONDS = 0.3

log = logging.getLogger(__name__)


async def close_consumer(consumer: AIOKafkaConsumer, seconds: float = CLOSE_SECONDS) -> None:
    """Close a consumer; never raises. One that is in a group needs some seconds to take its leave."""
    await _close(consumer.stop(), consumer._client, seconds)  # noqa: SLF001 - only a producer shows its client


async def close_producer(producer: AIOKafkaProducer) -> None:
    """Close a producer at once; never raises.

    What it still holds fails with `ProducerClosed` and is not sent any more: it would come behind
    the records of its successor.
    """
    accumulator, sender = producer._message_accumulator, producer._sender  # noqa: SLF001 - `stop` alone waits for deliveries
    batches = [*chain.from_iterable(accumulator._batches.values()), *accumulator._pending_batches]  # noqa: SLF001
    for batch in batches:
        batch.drain_ready()
    accumulator.fail_all(ProducerClosed())
    for future in chain.from_iterable((batch.future, batch._drain_waiter) for batch in batches):  # noqa: SLF001
        future.exception()  # whoever waited may be gone, and asyncio complains of what nobody looks at
    while sender.sender_task is not None and not sender.sender_task.done():
        # Each time this ends either the task or the delivery that it waits for.
        sender.sender_task.cancel()
        await asyncio.wait([sender.sender_task], timeout=0.1)
    transaction = producer._txn_manager  # noqa: SLF001
    ending = transaction.wait_for_transaction_end() if transaction is not None else None
    if ending is not None and ending.done() and not ending.cancelled():
        ending.exception()  # of a transaction that was fenced before anybody waited for its end
    await _close(producer.stop(), producer.client)


async def _close(stopping: Coroutine[Any, Any, None], client: AIOKafkaClient, seconds: float = CLOSE_SECONDS) -> None:
    """Wait for `stopping` in a task of its own.

    aiokafka cancels its fetch tasks and awaits them, so after a broker's end `stop` itself may end as
    cancelled, though nobody cancelled us: whoever awaited it directly would end without a word.
    """
    writers = [connection._writer for connection in client._conns.values()]  # noqa: SLF001 - closing forgets them
    task = asyncio.create_task(stopping)
    try:
        await asyncio.wait([task], timeout=seconds)
    finally:
        if not task.done() or task.cancelled() or task.exception() is not None:
            task.cancel()
            log.debug("connections are cut, not closed")
            for writer in writers:
                if writer is not None:
                    writer.transport.abort()
    await asyncio.wait([task], timeout=seconds)
