"""A lane and its group when Kafka goes away: they say so, where the client would try for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from exchange.bus import lane as lanes
from exchange.bus import transactions
from exchange.bus.access import ROUTER
from exchange.bus.connection import aiokafka_options, confluent_options
from exchange.bus.lane import Lane
from exchange.bus.lane_group import LaneGroup
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.topics import JOURNAL, SEQUENCES, SUBMISSIONS, lane_source
from exchange.domain.errors import BusError
from tests.patience import PATIENCE
from tests.plugin_kafka import ADMINISTRATOR, SHAPE, KafkaCluster

pytestmark = pytest.mark.server

LANE = 3
BACKLOG_LANE = 2


@asynccontextmanager
async def broker_away(kafka: KafkaCluster) -> AsyncIterator[None]:
    """While it lasts nobody listens."""
    await asyncio.to_thread(kafka.server.brokers[0].kill)
    try:
        yield
    finally:
        await asyncio.to_thread(kafka.server.start)


async def read_on(lane: Lane) -> None:
    """Read as the router does."""
    while True:
        await lane.read(0.2, 100)


async def watch_on(group: LaneGroup) -> None:
    """Watch as the router does."""
    while True:
        await group.watch()


async def test_everything_of_a_lane_ends_when_kafka_is_away(
    kafka: KafkaCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading, committing and the group each end with an error, so the router can say so and start over."""
    monkeypatch.setattr(transactions, "COMMIT_SECONDS", PATIENCE)
    settings = kafka.settings(ROUTER)
    lane = Lane(settings, LANE)
    await lane.arm()
    await lane.know([JOURNAL, SEQUENCES])
    await lane.start_at(0)
    writes = {(SEQUENCES, LANE): [Outgoing(b"state", b"@3")]}
    await lane.commit(writes)
    async with LaneGroup(settings) as group:
        async with asyncio.timeout(PATIENCE):
            while await group.watch() != {lane: lane_source(lane, SHAPE.lanes) for lane in range(SHAPE.lanes + 1)}:
                pass
        while await lane.read(0.2, 100):
            pass  # what other tests wrote there
        for _ in range(5):
            assert await lane.read(0.2, 100) == []
        async with broker_away(kafka), asyncio.timeout(PATIENCE):
            monkeypatch.setattr(lanes, "SILENCE_SECONDS", 0.5)
            monkeypatch.setattr(transactions, "COMMIT_SECONDS", 3.0)
            with pytest.raises(BusError):
                await read_on(lane)
            with pytest.raises(BusError):
                await watch_on(group)
            with pytest.raises(TimeoutError):
                await lane.commit(writes)
            await lane.close()


async def test_a_lane_waits_for_what_is_not_decided(kafka: KafkaCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records of somebody's open transaction: nothing is written behind them before they are taken back."""
    other = AIOKafkaProducer(**aiokafka_options(kafka.settings(ADMINISTRATOR)), transactional_id="undecided")
    await other.start()
    lane = Lane(kafka.settings(ROUTER), LANE)
    monkeypatch.setattr(lanes, "DECIDED_SECONDS", PATIENCE)
    try:
        await other.begin_transaction()
        await other.send_and_wait(JOURNAL, b"undecided", partition=1)
        await lane.arm()
        with monkeypatch.context() as patience:
            patience.setattr(lanes, "DECIDED_SECONDS", 0.3)
            with pytest.raises(BusError, match=f"{JOURNAL}/1 ") as hanging:
                await lane.know([JOURNAL, SEQUENCES])
        assert (hanging.value.code, hanging.value.retriable) == ("transaction-hanging", True)
        waiting = asyncio.create_task(lane.know([JOURNAL, SEQUENCES]))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await other.abort_transaction()
        await waiting
    finally:
        await lane.close()
        await other.stop()


async def test_a_backlog_is_read_in_full_measures(kafka: KafkaCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """However fetches and measures fit: a rest is joined by the next fetch, in order and without a gap."""
    monkeypatch.setattr(lanes, "FETCH_BYTES", 100_000)
    monkeypatch.setattr(lanes, "NEXT_FETCH_SECONDS", PATIENCE)
    async with SubmissionProducer(kafka.settings("alpha"), batch_bytes=20_000) as producer:
        await producer.send([Outgoing(bytes(1000))] * 300, topic=SUBMISSIONS, partition=BACKLOG_LANE)
    lane = Lane(kafka.settings(ROUTER), BACKLOG_LANE)
    await lane.arm()
    await lane.start_at(0)
    measures = [await lane.read(PATIENCE, 70) for _ in range(5)]
    await lane.close()
    assert [len(measure) for measure in measures] == [70, 70, 70, 70, 20]
    assert [record.offset for measure in measures for record in measure] == list(range(300))


async def cleaned_by(client: AdminClient, policy: str) -> None:
    """Change how Kafka cleans the lanes' state."""
    entry = ConfigEntry("cleanup.policy", policy, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, SEQUENCES, incremental_configs=[entry])
    (altered,) = client.incremental_alter_configs([resource]).values()
    await asyncio.wrap_future(altered)


async def test_state_whose_beginning_is_gone(kafka: KafkaCluster) -> None:
    """Kafka deletes nothing of a compacted topic; where somebody made it, origins are missing: nothing is armed."""
    settings, cut = kafka.settings(ROUTER), 0
    lane, later = Lane(settings, cut), Lane(settings, cut)
    await lane.arm()
    await lane.know([SEQUENCES])
    await lane.commit({(SEQUENCES, cut): [Outgoing(b"state", b"@0")]})
    await lane.close()
    client = AdminClient(confluent_options(kafka.settings(ADMINISTRATOR)))
    await cleaned_by(client, "compact,delete")
    (deleted,) = client.delete_records([TopicPartition(SEQUENCES, cut, 1)]).values()
    await asyncio.wrap_future(deleted)
    await cleaned_by(client, "compact")
    with pytest.raises(BusError) as caught:
        await later.arm()
    assert (caught.value.code, caught.value.retriable) == ("lane-state-lost", False)
    await later.close()
