"""What the agent asks of the bus: `exchange.bus` gives it over Kafka, the tests' small exchange in memory."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from exchange.bus.producer import Outgoing
from exchange.bus.records import Position, Taken

Partition = tuple[str, int]
"""Topic and partition."""


class Submissions(Protocol):
    """Writes records, in order, for all bodies of the process; see `exchange.bus.producer`."""

    async def send(self, records: Sequence[Outgoing], *, topic: str, partition: int) -> None:
        """Return when all are taken; `BusError`: a beginning of them may be, go back."""
        ...


class Inboxes(Protocol):
    """Reads inboxes from stored positions on; see `exchange.bus.reader`."""

    async def read(self, timeout: float, max_records: int = 500) -> list[Taken]:  # noqa: ASYNC109
        """The next records, in order per partition; nothing when none came in time."""
        ...

    async def add(self, positions: Mapping[Partition, Position | None]) -> None:
        """Read more inboxes; none of them is read after an error: `topic-missing` or `access-denied` of any."""
        ...

    def drop(self, partitions: Iterable[Partition]) -> None:
        """Read these no longer."""
        ...

    async def end_offsets(self) -> dict[Partition, int]:
        """Where each partition ends now."""
        ...

    def next_offsets(self) -> dict[Partition, int]:
        """Where reading goes on in each partition."""
        ...

    def reached(self, ends: Mapping[Partition, int]) -> bool:
        """Whether everything before `ends` was handed out."""
        ...


@dataclass(frozen=True, slots=True)
class Transport:
    """Opens the connections of one process: e.g. `partial(SubmissionProducer, settings)`."""

    submissions: Callable[[], AbstractAsyncContextManager[Submissions]]
    inboxes: Callable[[Mapping[Partition, Position | None]], AbstractAsyncContextManager[Inboxes]]
