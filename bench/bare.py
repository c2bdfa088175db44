"""What bare bodies do, which have no agent: submit statements, and read what comes into an inbox."""

from collections.abc import AsyncIterator, Sequence

from exchange.bus.connection import KafkaSettings
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.reader import PositionedReader
from exchange.bus.records import Record
from exchange.bus.topics import SUBMISSIONS, inbox
from exchange.domain.decision import Decided, Journalled
from exchange.domain.ids import lane_of
from exchange.embedded.installation import SHAPE
from exchange.wire.records import decode, kind_of

FETCH_WAIT_SECONDS = 0.5


async def submit(producer: SubmissionProducer, body: str, values: Sequence[bytes]) -> None:
    """Give records to the body's lane."""
    records = [Outgoing(value, body.encode()) for value in values]
    await producer.send(records, topic=SUBMISSIONS, partition=lane_of(body, SHAPE.lanes))


async def arrivals(settings: KafkaSettings, body: str) -> AsyncIterator[list[Decided]]:
    """The letters and receipts that come into an inbox, from its beginning; what came together at once, or nothing."""
    positions = {(inbox(body), 0): None}
    async with PositionedReader(settings, positions, fetch_wait_seconds=FETCH_WAIT_SECONDS) as reader:
        while True:
            values = [record.value for record in await reader.read(1.0) if isinstance(record, Record)]
            # Not what the partition was warmed with, and no notices.
            framed = [value for value in values if value and any(value) and kind_of(value) is Journalled]
            yield [decode(Decided, decode(Journalled, value).entry) for value in framed]
