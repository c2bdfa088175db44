"""Who writes as the only one of its name."""

import pytest

from exchange.bus.access import ARCHIVE, ARCHIVE_TRANSACTIONS
from exchange.bus.producer import Outgoing
from exchange.bus.reader import PositionedReader
from exchange.bus.records import Record
from exchange.bus.topics import CHECKPOINTS
from exchange.bus.transactions import SoleWriter
from exchange.domain.errors import BusError
from tests.plugin_kafka import KafkaCluster

NAME = f"{ARCHIVE_TRANSACTIONS}test"
PARTITION = (CHECKPOINTS, 0)


@pytest.mark.server
async def test_who_begins_later_is_the_only_one(kafka: KafkaCluster) -> None:
    """What the first one writes from then on is refused, and never read."""
    settings = kafka.settings(ARCHIVE)
    async with SoleWriter(settings, NAME) as first, PositionedReader(settings, {PARTITION: None}) as reader:
        await first.write({PARTITION: [Outgoing(b"1", b"test"), Outgoing(b"2", b"test")]})
        async with SoleWriter(settings, NAME) as second:
            with pytest.raises(BusError) as fenced:
                await first.write({PARTITION: [Outgoing(b"too late", b"test")]})
            assert fenced.value.retriable
            await second.write({PARTITION: [Outgoing(b"3", b"test")]})
        read: list[bytes | None] = []
        while b"3" not in read:
            found = await reader.read(1.0)
            read += [each.value for each in found if isinstance(each, Record) and each.key == b"test"]
    assert read == [b"1", b"2", b"3"]


@pytest.mark.server
async def test_it_writes_only_in_its_context(kafka: KafkaCluster) -> None:
    """Before and behind it there is no producer; and no body has the right to be one."""
    writer = SoleWriter(kafka.settings(ARCHIVE), NAME)
    with pytest.raises(BusError, match="async with"):
        await writer.write({})
    with pytest.raises(BusError) as refused:
        async with SoleWriter(kafka.settings("alpha"), NAME):
            pytest.fail("it has no right to")
    assert (refused.value.code, refused.value.retriable) == ("access-denied", False)
