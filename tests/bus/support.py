"""Topics of one test, and reading them to the end."""

from exchange.bus.administration import Administration
from exchange.bus.reader import PositionedReader, Positions
from exchange.bus.records import Record, Taken
from exchange.bus.topics import SUBMISSION_BATCH_BYTES, TopicSpec
from exchange.domain.errors import BusError
from tests.plugin_kafka import ADMINISTRATOR, KafkaCluster


async def make_topic(administration: Administration, name: str, **configuration: str) -> str:
    """Create a topic with one partition for the administrator to play with."""
    settings = {
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(SUBMISSION_BATCH_BYTES),
        **configuration,
    }
    assert await administration.ensure_topics([TopicSpec(name, 1, 1, settings)]) == []
    return name


async def delete_topic(kafka: KafkaCluster, name: str) -> None:
    """Delete a topic and wait until it is gone."""
    async with kafka.administration() as administration:
        await administration._result(administration._client.delete_topics([name])[name], "deleting")
        while name in await administration.partition_counts():
            pass


async def read_to_end(reader: PositionedReader) -> list[Taken]:
    """Everything up to the present end."""
    ends = await reader.end_offsets()
    found: list[Taken] = []
    while not reader.reached(ends):
        found += await reader.read(1.0)
    return found


async def committed(reader: PositionedReader, offset: int) -> None:
    """Wait until everything before `offset` counts: a commit is answered before its markers are written."""
    while min((await reader.end_offsets()).values()) < offset:
        pass


async def read_all(kafka: KafkaCluster, positions: Positions | str, principal: str = ADMINISTRATOR) -> list[Taken]:
    """Everything behind `positions`, or everything of one topic's only partition."""
    if isinstance(positions, str):
        positions = {(positions, 0): None}
    while True:
        try:
            async with PositionedReader(kafka.settings(principal), positions) as reader:
                return await read_to_end(reader)
        except BusError as error:  # a broker that was frozen leads again in a moment
            if not error.retriable:
                raise


def values(taken: list[Taken]) -> list[bytes | None]:
    """Values of records; a poisoned batch has none and fails here."""
    return [record.value for record in taken if isinstance(record, Record)]


def numbered(first: int, last: int) -> list[bytes]:
    """Values that show what is missing, doubled or out of order."""
    return [b"%d" % number for number in range(first, last + 1)]
