"""Files of the directory as records of its topic: the key is the name, and a file is never taken back."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from exchange.bus.records import PoisonedBatch, Position, Record
from exchange.bus.topics import DIRECTORY

Partition = tuple[str, int]
PARTITION: Partition = (DIRECTORY, 0)
READ_SECONDS = 1.0
BATCH_RECORDS = 1_000


class TopicReader(Protocol):
    """What is asked of `exchange.bus.reader.PositionedReader`; see there for its promises."""

    async def read(self, timeout: float, max_records: int = ...) -> list[Record | PoisonedBatch]:  # noqa: ASYNC109
        """The next records; none when none came in time."""
        ...

    async def end_offsets(self) -> dict[Partition, int]:
        """Last stable offset, now."""
        ...

    def reached(self, ends: Mapping[Partition, int]) -> bool:
        """Whether everything before `ends` has been handed out."""
        ...


Positions = Mapping[Partition, Position | None]
OpenTopic = Callable[[Positions], AbstractAsyncContextManager[TopicReader]]


def file_of(record: Record | PoisonedBatch) -> tuple[str, bytes] | None:
    """Name and bytes of the file in a record; None for what is no file, for example a batch that was not unpacked."""
    if isinstance(record, PoisonedBatch) or record.key is None or record.value is None:
        return None
    try:
        return record.key.decode("ascii"), record.value
    except UnicodeDecodeError:
        return None
