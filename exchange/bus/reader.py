"""A reader that keeps its own position and is never reset.

Who reads an inbox or the journal stores the position of the last record taken in the same
transaction as what was done with it: offset and digest. On start that record is read again. Another
digest, or a topic that does not reach so far or begins later, means that the topic is not the one
that was read: deleted and created again, cut, restored. Kafka's clients would go on in silence (a
topic created again was read from 1000 on), so here it ends with `PositionLost` and a person decides.

While it runs, records are handed out only after the broker that served them has named the topic's
identity once more: a topic that came back under the same name has another one (KIP-516).
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import OffsetOutOfRangeError

from exchange.bus.connection import KafkaSettings
from exchange.bus.consuming import consuming, stand_at
from exchange.bus.errors import CLIENT_ERRORS, PositionLost, bus_error
from exchange.bus.fetch_session import keep_fetch_sessions
from exchange.bus.line import watch_silence
from exchange.bus.lookup import End, Partition, TopicId, offsets, topic_ids
from exchange.bus.records import Position, Taken, read_batch
from exchange.domain.errors import BusError

Positions = Mapping[Partition, Position | None]
"""Last record taken of each partition; None: nothing yet, begin with the first that is there."""

_PARTITION_BYTES = 1024 * 1024
_START_SECONDS = 30.0
_COMPARED_AT_ONCE = 500
_COMPARED_SECONDS = 0.25
"""More for each partition: what lies behind its last record comes along, up to a megabyte."""


class PositionedReader:
    """Reads partitions from stored positions on. For one task; `async with` opens and checks it.

    Ordering: as in Kafka within a partition, none between partitions. Durability: none of its own;
    what is handed out and not stored is handed out again after the next start.
    """

    def __init__(
        self, settings: KafkaSettings, positions: Positions, *, fetch_wait_seconds: float | None = None
    ) -> None:
        """Describe it; nothing is opened.

        Args:
            settings: where and who.
            positions: what to read and from where on.
            fetch_wait_seconds: how long a broker holds a question when there is nothing new, that of the line
                when left out. It delays nothing: the first record answers it.
        """
        self._settings = settings
        self._line = settings.line
        self._wanted = dict(positions)
        self._fetch_wait_seconds = self._line.fetch_wait_seconds if fetch_wait_seconds is None else fetch_wait_seconds
        self._consumer: AIOKafkaConsumer | None = None
        self._open = AsyncExitStack()
        self._topics: dict[str, TopicId] = {}
        self._next: dict[Partition, int] = {}
        self._unproven: list[Taken] = []
        self._proven = 0.0

    async def __aenter__(self) -> Self:
        """Connect, read the record at each position again, stand behind it.

        Raises:
            PositionLost: `position-digest-differs`, `position-out-of-range`.
            BusError: `bus-unavailable`, `topic-missing`, `access-denied`.
        """
        limits = {
            "fetch_max_bytes": self._line.fetch_bytes,
            "max_partition_fetch_bytes": min(_PARTITION_BYTES, self._line.fetch_bytes),
            "fetch_max_wait_ms": int(self._fetch_wait_seconds * 1000),
        }
        async with AsyncExitStack() as stack:
            self._consumer = await stack.enter_async_context(consuming(self._settings, self._start_seconds, **limits))
            keep_fetch_sessions(self._client())
            watch_silence(self._client(), self._line)
            wanted, self._wanted = self._wanted, {}
            await self.add(wanted)
            self._open = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._open.aclose()
        self._consumer = None

    async def add(self, positions: Positions) -> None:
        """Read more partitions from now on; those there go on where they are.

        Raises:
            PositionLost: as on start; then none of them is added.
            BusError: `bus-unavailable`, `topic-missing`, `access-denied`.
        """
        if not positions:
            return
        client = self._client()
        await client.set_topics({topic for topic, _ in (*self._next, *positions)})
        try:
            identities = await topic_ids(client, positions)
            begins = await offsets(client, positions, End.BEGIN)
            ends = await offsets(client, positions, End.STABLE)
        except BusError:
            await client.set_topics({topic for topic, _ in self._next})
            raise
        stored = {partition: position for partition, position in positions.items() if position is not None}
        starts = {partition: begins[partition] for partition in positions}
        starts |= {partition: position.behind for partition, position in stored.items()}
        try:
            await self._compare(
                {
                    partition: position
                    for partition, position in stored.items()
                    if _must_compare(partition, position, begins[partition], ends[partition])
                }
            )
            self._topics |= identities
            self._next |= starts
        finally:
            self._assign(self._next)

    def drop(self, partitions: Iterable[Partition]) -> None:
        """Read these no longer; what was fetched of the others and not handed out is fetched again."""
        for partition in partitions:
            del self._next[partition]
        self._topics = {topic: self._topics[topic] for topic, _ in self._next}
        self._assign(self._next)

    async def read(self, timeout: float, max_records: int = 500) -> list[Taken]:  # noqa: ASYNC109
        """The next records; nothing when none came within `timeout` seconds.

        A record that was handed out is not handed out again by this reader; after an error nothing
        is skipped.

        Raises:
            PositionLost: `position-out-of-range`, `topic-recreated`.
            BusError: `bus-unavailable`, `topic-missing` (deleted, or the broker still starts), `access-denied`.
        """
        if not self._unproven:
            self._unproven = await self._fetch(timeout, max_records)
        await self._prove({(record.topic, record.partition) for record in self._unproven} or self._idle())
        records, self._unproven = self._unproven, []
        self._next = {partition: self._reached(partition) for partition in self._next}
        return records

    def next_offsets(self) -> dict[Partition, int]:
        """Where reading goes on in each partition: behind all that was handed out, and markers of transactions.

        To be stored with the position (`Position.reached`): a quiet topic's retention takes its last
        markers too, and without this nobody could tell them from records that were missed.
        """
        return dict(self._next)

    async def begin_offsets(self) -> dict[Partition, int]:
        """First offset that each partition still has; 0 where it must be complete.

        Raises:
            BusError: as `read`.
        """
        return await offsets(self._client(), self._next, End.BEGIN)

    async def end_offsets(self) -> dict[Partition, int]:
        """Last stable offset of each partition, now: everything before it can be read.

        Raises:
            BusError: as `read`.
        """
        return await offsets(self._client(), self._next, End.STABLE)

    def reached(self, ends: Mapping[Partition, int]) -> bool:
        """Whether everything before `ends` has been handed out; markers of transactions count as records."""
        return all(self._reached(partition) >= end for partition, end in ends.items())

    async def lag(self) -> dict[Partition, int]:
        """How many offsets are still to be read of each partition, now.

        Raises:
            BusError: as `read`.
        """
        ends = await self.end_offsets()
        return {partition: max(0, end - self._reached(partition)) for partition, end in ends.items()}

    async def unstable(self) -> dict[Partition, int]:
        """How many offsets lie behind the last stable one, now: an open transaction holds all readers up there.

        Raises:
            BusError: as `read`.
        """
        stable = await self.end_offsets()
        written = await offsets(self._client(), self._next, End.WRITTEN)
        return {partition: max(0, end - stable[partition]) for partition, end in written.items()}

    async def _fetch(self, timeout: float, max_records: int) -> list[Taken]:  # noqa: ASYNC109
        try:
            return await read_batch(self._opened(), timeout, max_records)
        except OffsetOutOfRangeError as error:
            await self._prove(self._next)
            gone = ", ".join(f"{topic}/{partition} at {offset}" for (topic, partition), offset in error.args[0].items())
            raise PositionLost(f"there is nothing more to read in {gone}; {_NEXT_STEP}") from error
        except CLIENT_ERRORS as error:
            # aiokafka may have moved on in other partitions without giving us their records.
            self._assign(self._next)
            raise bus_error(error, "reading") from error

    def _idle(self) -> Collection[Partition]:
        """All partitions when it is time to prove those that bring nothing; none before."""
        now = asyncio.get_running_loop().time()
        if now < self._proven + self._line.proof_seconds:
            return ()
        self._proven = now
        return self._next

    async def _prove(self, partitions: Iterable[Partition]) -> None:
        """Compare topic identities; asked after the fetch, so what was fetched is from the same topic."""
        for topic, identity in (await topic_ids(self._client(), partitions)).items():
            if identity != self._topics[topic]:
                message = f"{topic} was deleted and created again while it was read; {_NEXT_STEP}"
                raise PositionLost(message, code="topic-recreated")

    async def _compare(self, positions: Mapping[Partition, Position]) -> None:
        """Read the record at each position again."""
        left = dict(positions)
        self._assign(self._next | {partition: position.offset for partition, position in left.items()})
        consumer = self._opened()
        consumer.pause(*(TopicPartition(*partition) for partition in self._next))
        try:
            async with asyncio.timeout(self._start_seconds + len(left) * _COMPARED_SECONDS):
                while left:
                    for record in await read_batch(consumer, timeout=1.0, max_records=_COMPARED_AT_ONCE):
                        partition = (record.topic, record.partition)
                        if partition in left:
                            _require_same(record, left.pop(partition))
                            consumer.pause(TopicPartition(*partition))
        except CLIENT_ERRORS as error:
            raise bus_error(error, "reading the last record again") from error

    def _assign(self, starts: Mapping[Partition, int]) -> None:
        stand_at(self._opened(), starts)
        self._unproven = []

    def _reached(self, partition: Partition) -> int:
        """Next offset to hand out; the consumer's own also moves over markers of transactions."""
        if self._unproven:
            return self._next[partition]
        state = self._opened()._subscription.subscription.assignment.state_value(TopicPartition(*partition))  # noqa: SLF001
        return int(state.position)

    @property
    def _start_seconds(self) -> float:
        """How long opening may take: a little longer than one answer."""
        return max(_START_SECONDS, self._line.answer_seconds)

    def _client(self) -> AIOKafkaClient:
        """The consumer's own client: another one would cost the broker another connection per reader."""
        return self._opened()._client  # noqa: SLF001

    def _opened(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            message = "the reader is not open: use it in `async with`"
            raise BusError(message, code="reader-closed", retriable=False)
        return self._consumer


_NEXT_STEP = "do not go on from here: find out what happened to the topic, then start again from the journal or archive"


def _must_compare(partition: Partition, position: Position, begin: int, end: int) -> bool:
    """Whether the record at `position` is there to be compared.

    Raises:
        PositionLost: `position-out-of-range`.
    """
    name = f"{partition[0]}/{partition[1]}"
    if begin > position.behind:
        message = f"{name} begins at {begin}, behind {position.behind}, which was to be read next; {_NEXT_STEP}"
        raise PositionLost(message)
    if position.offset >= end:
        raise PositionLost(f"{name} ends at {end}, before the last record taken, {position.offset}; {_NEXT_STEP}")
    # Retention may have taken the very record: nothing was missed, and nothing is left to compare.
    return begin <= position.offset


def _require_same(record: Taken, expected: Position) -> None:
    if record.position != expected:
        message = f"{record.topic}/{record.partition} has another record at {expected.offset}; {_NEXT_STEP}"
        raise PositionLost(message, code="position-digest-differs")
