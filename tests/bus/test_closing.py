"""Closing clients whose broker is gone: within seconds, and without ending who closes them."""

import asyncio

import pytest

from exchange.bus.closing import close_consumer
from exchange.bus.reader import PositionedReader
from tests.bus.support import make_topic
from tests.plugin_kafka import KafkaCluster


class Consumer:
    """A consumer whose `stop` ends as aiokafka's may: cancelled, though nobody cancelled it."""

    class _client:  # noqa: N801 - the name that aiokafka has
        _conns: dict[object, object] = {}  # noqa: RUF012

    async def stop(self) -> None:
        raise asyncio.CancelledError


async def test_a_client_that_ends_cancelled_does_not_end_its_caller() -> None:
    """The task that closes goes on."""
    await close_consumer(Consumer())
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@pytest.mark.server
async def test_reader_closes_behind_a_killed_broker(kafka: KafkaCluster) -> None:
    """Leaving the reader after kill -9 raises nothing, least of all a cancellation."""
    async with kafka.administration() as administration:
        topic = await make_topic(administration, "closing")
    broker = kafka.server.brokers[0]
    try:
        async with PositionedReader(kafka.settings("svc-admin"), {(topic, 0): None}) as reader:
            await reader.read(1.0)
            await asyncio.to_thread(broker.kill)
            await asyncio.sleep(1.0)
    finally:
        await asyncio.to_thread(broker.start)
        await asyncio.to_thread(kafka.server.wait_ready)
