"""Single records of a topic, in any order, on a real broker."""

import pytest
from aiokafka import AIOKafkaProducer

from exchange.bus.connection import aiokafka_options
from exchange.bus.picking import NEAR, open_picker
from exchange.bus.reader import PositionedReader
from exchange.bus.topics import inbox
from exchange.domain.errors import BusError
from tests.bus.support import committed, make_topic, numbered
from tests.bus.test_reader import write
from tests.plugin_kafka import ADMINISTRATOR, KafkaCluster

pytestmark = pytest.mark.server


async def test_picks_what_is_asked_for(kafka: KafkaCluster) -> None:
    """Near and far, each once, twice in a row; what is not there is left out."""
    topic = "picking.some"
    async with kafka.administration() as administration:
        await make_topic(administration, topic)
    number = 4 * NEAR
    await write(kafka, topic, numbered(0, number - 1))
    async with open_picker(kafka.settings(ADMINISTRATOR), topic) as picker:
        for offsets in ([0], [number - 1, 3, 2 * NEAR], [7, 7, 8], [2 * NEAR + 1, 1]):
            found = await picker.pick((0, offset) for offset in offsets)
            assert {place: record.value for place, record in found.items()} == {
                (0, offset): b"%d" % offset for offset in offsets
            }
        assert await picker.pick([(0, number), (0, 10 * number)]) == {}
        assert await picker.pick([]) == {}
        found = await picker.pick((0, offset) for offset in range(number + 5))
        assert len(found) == number


async def test_the_marker_of_a_transaction_at_the_end(kafka: KafkaCluster) -> None:
    """Is no record, and is not waited for: nothing may come behind it for hours."""
    topic = "picking.marked"
    async with kafka.administration() as administration:
        await make_topic(administration, topic)
    producer = AIOKafkaProducer(**aiokafka_options(kafka.settings(ADMINISTRATOR)), transactional_id="picking")
    await producer.start()
    async with producer.transaction():
        await producer.send(topic, b"0", partition=0)
    await producer.stop()
    async with PositionedReader(kafka.settings(ADMINISTRATOR), {(topic, 0): None}) as reader:
        await committed(reader, 2)
    async with open_picker(kafka.settings(ADMINISTRATOR), topic) as picker:
        assert set(await picker.pick([(0, 0), (0, 1), (0, 2)])) == {(0, 0)}
        assert await picker.pick([(0, 1)]) == {}


async def test_a_topic_that_is_not_ours_to_read(kafka: KafkaCluster) -> None:
    """It ends with a reason and the next step, not with silence."""
    async with open_picker(kafka.settings("beta"), inbox("alpha")) as picker:
        with pytest.raises(BusError) as denied:
            await picker.pick([(0, 0)])
    assert denied.value.code == "access-denied"
