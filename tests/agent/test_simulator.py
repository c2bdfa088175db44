"""The simulated exchange keeps the promises that the real bus keeps: one suite for both."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial

import pytest

from exchange.agent.transport import Inboxes, Partition
from exchange.bus.errors import PositionLost
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.reader import PositionedReader
from exchange.bus.records import Position, Record
from exchange.bus.topics import inbox
from tests.agent.place import Place
from tests.plugin_kafka import KafkaCluster

INBOX: Partition = (inbox("gamma"), 0)


@dataclass
class Side:
    """A bus: how to write into gamma's inbox, and how to read it."""

    write: Callable[[list[bytes]], Awaitable[None]]
    read: Callable[[dict[Partition, Position | None]], AbstractAsyncContextManager[Inboxes]]


@pytest.fixture
async def simulated(place: Place) -> Side:
    """The exchange in memory."""

    async def write(values: list[bytes]) -> None:
        for value in values:
            place.simulator.deliver("gamma", value)

    return Side(write, place.simulator.transport.inboxes)


@pytest.fixture
async def real(kafka: KafkaCluster) -> AsyncIterator[Side]:
    """Kafka: the router's right to write, gamma's to read."""
    async with SubmissionProducer(kafka.settings("svc-router")) as producer:

        async def write(values: list[bytes]) -> None:
            await producer.send([Outgoing(value) for value in values], topic=INBOX[0], partition=INBOX[1])

        yield Side(write, partial(PositionedReader, kafka.settings("gamma"), fetch_wait_seconds=0.5))


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.server)])
def side(request: pytest.FixtureRequest) -> Side:
    """Each bus in turn."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Side)
    return found


async def read_to_the_end(inboxes: Inboxes) -> list[Record]:
    """All records that are there."""
    ends = await inboxes.end_offsets()
    found: list[Record] = []
    while not inboxes.reached(ends):
        found += [record for record in await inboxes.read(1.0) if isinstance(record, Record)]
    return found


async def test_records_come_in_order_once(side: Side) -> None:
    """From the first on, then what is new, each once."""
    values = [b"contract %d" % number for number in range(20)]
    async with side.read({INBOX: None}) as inboxes:
        await read_to_the_end(inboxes)
        await side.write(values)
        found = await read_to_the_end(inboxes)
        assert [record.value for record in found] == values
        assert [record.offset for record in found] == list(range(found[0].offset, found[0].offset + 20))
        assert await inboxes.read(0.1) == []


async def test_reading_goes_on_behind_the_last_record_taken(side: Side) -> None:
    """A position is the last record taken; what is behind it comes next."""
    await side.write([b"taken", b"next", b"last"])
    async with side.read({INBOX: None}) as inboxes:
        *_, taken, _, _ = await read_to_the_end(inboxes)
    assert taken.value == b"taken"
    async with side.read({INBOX: taken.position}) as inboxes:
        assert [record.value for record in await read_to_the_end(inboxes)] == [b"next", b"last"]


async def test_another_record_at_the_position_is_an_end(side: Side) -> None:
    """A digest that differs, and an inbox that ends before, are named and never read over."""
    await side.write([b"one"])
    async with side.read({INBOX: None}) as inboxes:
        last = (await read_to_the_end(inboxes))[-1]
    with pytest.raises(PositionLost) as raised:
        async with side.read({INBOX: Position(last.offset, bytes(32))}):
            pass
    assert raised.value.code == "position-digest-differs"
    with pytest.raises(PositionLost) as raised:
        async with side.read({INBOX: Position(last.offset + 5, bytes(32))}):
            pass
    assert raised.value.code == "position-out-of-range"
