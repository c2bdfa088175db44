"""A lane whose state is gone says so and does nothing; a new one begins."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from exchange.bus.access import ROUTER
from exchange.bus.connection import KafkaSettings
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.reader import PositionedReader
from exchange.bus.topics import JOURNAL, SEQUENCES
from exchange.domain.decision import Basis, Journalled, Place
from exchange.domain.errors import BusError
from exchange.domain.ids import ZERO_DIGEST
from exchange.services.router.history import require_new
from exchange.services.router.metrics import RouterMetrics
from exchange.services.router.service import Router
from exchange.wire.records import encode
from tests.faults.waiting import until
from tests.plugin_kafka import ADMINISTRATOR, SHAPE, KafkaCluster
from tests.services.footing_fake import OneFooting
from tests.world import World

pytestmark = pytest.mark.server

LOST, NEW = 1, 2


@pytest.fixture
async def _journal_of_a_lost_lane(kafka: KafkaCluster) -> None:
    """Junk, and an entry of a lane that has no state."""
    basis = Basis(Place(LOST, 1, ZERO_DIGEST), datetime.now(UTC), 1, bytes(32), bytes(32))
    values = [b"", bytes(8192), encode(Journalled(b"no entry", ())), encode(Journalled(encode(basis), ()))]
    async with SubmissionProducer(kafka.settings(ADMINISTRATOR)) as producer:
        await producer.send([Outgoing(value) for value in values], topic=JOURNAL, partition=1)


@contextlib.asynccontextmanager
async def running(kafka: KafkaCluster, world: World, registry: CollectorRegistry) -> AsyncIterator[Router]:
    """A router of all lanes."""
    metrics = RouterMetrics(registry)
    router = Router(kafka.settings(ROUTER), OneFooting(world.ground), lambda: datetime.now(UTC), metrics, 10.0)
    task = asyncio.create_task(router.run())
    try:
        yield router
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.usefixtures("_journal_of_a_lost_lane")
async def test_an_entry_without_a_state(kafka: KafkaCluster) -> None:
    """Whoever finds its lane in the journal must not begin; any other lane may."""
    settings = kafka.settings(ROUTER)
    with pytest.raises(BusError, match=f"lane {LOST} .*{JOURNAL}/1 has an entry of it at") as caught:
        await require_new(settings, LOST, SHAPE.journal_partitions)
    assert (caught.value.code, caught.value.retriable) == ("lane-state-lost", False)
    await require_new(settings, NEW, SHAPE.journal_partitions)


@pytest.mark.usefixtures("_journal_of_a_lost_lane")
async def test_the_router_waits_for_a_person(kafka: KafkaCluster, tmp_path: Path) -> None:
    """The lane is never armed and /health says why; the others wrote their first state."""
    world = World(tmp_path, lanes=SHAPE.lanes, journal_partitions=SHAPE.journal_partitions)
    registry = CollectorRegistry()
    async with running(kafka, world, registry) as router:

        async def refused() -> bool:
            return f"lane {LOST} has no state" in router.waiting_for and NEW in router._armed

        await until(refused, "the lane to be refused, and another to be armed")
        assert "lane-state-lost" in router.waiting_for
        assert registry.get_sample_value("exchange_router_lanes") == SHAPE.lanes + 1
        assert 0 < (registry.get_sample_value("exchange_router_lanes_armed") or 0) <= SHAPE.lanes
    positions = {(SEQUENCES, lane): None for lane in (LOST, NEW)}
    async with PositionedReader(kafka.settings(ADMINISTRATOR), positions) as reader:

        async def seen() -> bool:
            return (await reader.end_offsets())[SEQUENCES, NEW] > 0

        await until(seen, "the first state of the other lane")
        assert (await reader.end_offsets())[SEQUENCES, LOST] == 0


async def test_a_router_without_lanes_stands_by(tmp_path: Path) -> None:
    """Ready once the group has answered, though it gave nothing; before that not."""
    nowhere = KafkaSettings("127.0.0.1:1", Path("ca"), Path("certificate"), Path("key"))
    source = OneFooting(World(tmp_path).ground)
    router = Router(nowhere, source, lambda: datetime.now(UTC), RouterMetrics(CollectorRegistry()), 10.0)
    assert "group" in router.waiting_for
    async with asyncio.TaskGroup() as tasks:
        router._assign({}, tasks)
    assert router.waiting_for == ""
