"""A small exchange in memory that decides by the router's own rules.

It holds what Kafka and the router would: a log of submissions per lane and an inbox per body. The
verdicts, origins and notices come from `exchange.journal`, so it cannot disagree with the router.
Tests bend it: `away` (the bus cannot be reached), `paused` (the router does not read), `drop`
(acknowledged records vanish), `missing` (inboxes that are not made yet), `backlog`.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from exchange.agent.drafts import Clock
from exchange.agent.transport import Partition, Transport
from exchange.bus.errors import PositionLost
from exchange.bus.producer import Outgoing
from exchange.bus.records import Position, Record, Taken
from exchange.bus.topics import inbox, lane_source
from exchange.domain.decision import Decided, Journalled, LaneState, Notice
from exchange.domain.errors import BusError
from exchange.domain.own_bodies import lane_in
from exchange.domain.statement import Letter, Signed
from exchange.journal.examine import Ground, Submission, examine
from exchange.journal.ledger import Entry, Ledger
from exchange.wire.headers import hints
from exchange.wire.records import decode, decode_statement, encode
from tests.world import World

Step = Callable[[str], None]
"""Told of each step by name before it is done; raises to end the agent there."""


def carry_on(_step: str) -> None:
    """Nobody ends the agent."""


@dataclass
class Simulator:
    """The exchange; one per test."""

    world: World
    clock: Clock
    away: bool = False
    failure: Exception | None = None
    paused: bool = False
    drop: bool = False
    step: Step = carry_on
    submitted: int = 0
    missing: set[str] = field(default_factory=set)
    inboxes: dict[str, list[Record]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def __post_init__(self) -> None:
        """No origin is open yet."""
        self.inboxes |= {inbox(body): [] for body in self.world.bodies}
        self._ledgers = [Ledger(lane, self.world.ground, LaneState(), {}) for lane in range(self.world.all_lanes)]
        self._offsets = [0] * self.world.all_lanes
        self._waiting: list[Submission] = []
        self._news = asyncio.Event()

    @property
    def transport(self) -> Transport:
        """What an agent connects with."""
        return Transport(self._submissions, self._inboxes)

    def submit(self, body: str, *values: bytes, traces: Sequence[str | None] = ()) -> None:
        """Write records into the lane of `body` and let the router read them; `traces`: what their headers say."""
        lane = lane_in(self.world.directory, body)
        for value, trace in zip_longest(values, traces):
            self.submitted += 1
            self._waiting.append(Submission(lane, self._offsets[lane], self.clock(), value, trace))
            self._offsets[lane] += 1
        if not self.paused:
            self.route()

    @property
    def waiting(self) -> list[bytes | None]:
        """What the router has not read, in order."""
        return [submission.value for submission in self._waiting]

    def say(self, signed: Signed, body: str) -> None:
        """Submit a statement that a test has signed itself."""
        self.submit(body, encode(signed))

    def signed(self, entry: Entry) -> Signed:
        """The statement that an entry is about."""
        decided = decode(Decided, entry.entry)
        return Signed(decided.statement, decided.signature, entry.contents)

    def route(self) -> None:
        """The router reads what waits, as one batch per lane."""
        waiting, self._waiting = self._waiting, []
        for submission in waiting:
            ledger = self._ledgers[submission.partition]
            now = self.clock()
            entry = ledger.take(examine(submission, self.world.ground, now), now)
            if isinstance(entry, Entry):
                self.entries.append(entry)
                for body in entry.inboxes:
                    self.deliver(body, encode(Journalled(entry.entry, entry.contents)), entry.traceparent)
        for ledger in self._ledgers:
            for body, notice in ledger.notices(self.clock()):
                self.notices.append(notice)
                self.deliver(body, encode(notice))

    def stand_on(self, ground: Ground) -> None:
        """The router decides by this from now on."""
        self.world.ground = ground
        for ledger in self._ledgers:
            ledger.stand_on(ground)

    def restart(self) -> None:
        """The router is restored from a backup that knows no origin; inboxes and offsets stay."""
        states = [replace(ledger.state, number=0) for ledger in self._ledgers]
        self._ledgers = [Ledger(lane, self.world.ground, state, {}) for lane, state in enumerate(states)]

    def deliver(self, body: str, value: bytes, trace: str | None = None) -> None:
        """Write a record into a body's inbox."""
        topic = self.inboxes[inbox(body)]
        headers = () if trace is None else (("traceparent", trace.encode()),)
        topic.append(Record(inbox(body), 0, len(topic), self.clock(), None, value, headers))
        self._news.set()

    def letters(self, body: str) -> list[Letter]:
        """Letters in a body's inbox, in order."""
        found = []
        for record in self.inboxes[inbox(body)]:
            if record.value is not None and record.value[4] == 39:
                statement = decode_statement(decode(Decided, decode(Journalled, record.value).entry).statement)
                if isinstance(statement, Letter):
                    found.append(statement)
        return found

    def message_ids(self, body: str) -> list[str]:
        """Message ids of the letters in a body's inbox, in order, repeats too."""
        return [letter.message_id for letter in self.letters(body)]

    def require_near(self) -> None:
        """Fail as Kafka does when it cannot be reached, or as its client does for reasons of its own."""
        if self.failure is not None:
            raise self.failure
        if self.away:
            message = "the simulated exchange is away"
            raise BusError(message)

    @asynccontextmanager
    async def _submissions(self) -> AsyncIterator["Producer"]:
        yield Producer(self)

    @asynccontextmanager
    async def _inboxes(self, positions: Mapping[Partition, Position | None]) -> AsyncIterator["Reader"]:
        self.require_near()
        yield Reader(self, positions)

    async def news(self, timeout: float) -> None:  # noqa: ASYNC109
        """Wait until something was delivered."""
        self._news.clear()
        try:
            async with asyncio.timeout(timeout):
                await self._news.wait()
        except TimeoutError:
            return


@dataclass
class Producer:
    """Writes submissions."""

    simulator: Simulator

    async def send(self, records: Sequence[Outgoing], *, topic: str, partition: int) -> None:
        """As `exchange.bus.producer`: all are taken, or an error after a beginning of them."""
        await asyncio.sleep(0)
        self.simulator.require_near()
        self.simulator.step("send")
        if not self.simulator.drop:
            bodies = [(record.key or b"").decode() for record in records]
            for body in dict.fromkeys(bodies):
                world = self.simulator.world
                assert lane_source(lane_in(world.directory, body), world.lanes) == (topic, partition)
                said = [record for record in records if record.key == body.encode()]
                traces = [hints(record.headers).get("traceparent") for record in said]
                self.simulator.submit(body, *(record.value or b"" for record in said), traces=traces)
        self.simulator.step("sent")


class Reader:
    """Reads inboxes from positions on."""

    def __init__(self, simulator: Simulator, positions: Mapping[Partition, Position | None]) -> None:
        """Read these; see `add`."""
        self._simulator = simulator
        self._next: dict[Partition, int] = {}
        self._stand(positions)

    async def add(self, positions: Mapping[Partition, Position | None]) -> None:
        """As `exchange.bus.reader`: the record at each position is compared again."""
        self._simulator.require_near()
        for topic, _ in positions:
            if topic in self._simulator.missing:
                message = f"{topic} is not there"
                raise BusError(message, code="topic-missing")
        self._stand(positions)

    def drop(self, partitions: Iterable[Partition]) -> None:
        """As `exchange.bus.reader`."""
        for partition in partitions:
            del self._next[partition]

    def _stand(self, positions: Mapping[Partition, Position | None]) -> None:
        for (topic, partition), position in positions.items():
            if position is not None and position.offset >= 0:
                _require_same(self._simulator.inboxes[topic], position)
            self._next[topic, partition] = 0 if position is None else position.behind

    async def read(self, timeout: float, max_records: int = 500) -> list[Taken]:  # noqa: ASYNC109
        """As `exchange.bus.reader`."""
        self._simulator.require_near()
        if not (found := self._found(max_records)):
            await self._simulator.news(min(timeout, 0.05))
            self._simulator.require_near()
            found = self._found(max_records)
        for record in found:
            self._next[record.topic, record.partition] = record.offset + 1
        return found

    async def end_offsets(self) -> dict[Partition, int]:
        """As `exchange.bus.reader`."""
        self._simulator.require_near()
        return {partition: len(self._simulator.inboxes[partition[0]]) for partition in self._next}

    def next_offsets(self) -> dict[Partition, int]:
        """As `exchange.bus.reader`."""
        return dict(self._next)

    def reached(self, ends: Mapping[Partition, int]) -> bool:
        """As `exchange.bus.reader`."""
        return all(self._next[partition] >= end for partition, end in ends.items())

    def _found(self, most: int) -> list[Taken]:
        found: list[Taken] = []
        for (topic, _), start in self._next.items():
            found += self._simulator.inboxes[topic][start : start + most]
        return found[:most]


def _require_same(records: Sequence[Record], position: Position) -> None:
    if position.offset >= len(records):
        message = "the inbox ends before the last record taken"
        raise PositionLost(message)
    if hashlib.sha256(records[position.offset].value or b"").digest() != position.digest:
        message = "the inbox has another record at the last one taken"
        raise PositionLost(message, code="position-digest-differs")
