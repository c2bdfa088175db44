"""Reads all that an exchange wrote and says whether every promise was kept.

It knows the product's records, but shares none of its rules: no ledger, no fold, no replay.

1. Each lane's journal entries are numbered 1, 2, 3, …, and each names the digest of the one before.
2. A submission is decided once at most, and in the order of the topic.
3. Each origin's statements are numbered 1, 2, 3, …, and each names the digest of the one before.
4. An accepted statement stands in the inbox of every recipient exactly once, with the journal's own
   bytes, in its lane's order; nothing else stands there.
5. What notices tell an origin is, put together, exactly what the journal says of it.
6. A lane goes on from where its last transaction ended.

Beside that it keeps the furthest event of every delivery, to be compared with a tracker's states.
"""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from exchange.bus.connection import KafkaSettings
from exchange.bus.reader import PositionedReader, Positions
from exchange.bus.records import Position, Record, Taken
from exchange.bus.topics import DEAD_LETTERS, JOURNAL, SEQUENCES, inbox
from exchange.domain.decision import Basis, DeadLetter, Decided, Journalled, LaneState, Notice
from exchange.domain.errors import BusError
from exchange.domain.ids import ZERO_DIGEST, digest
from exchange.domain.statement import Head, Letter, Receipt
from exchange.wire.records import decode, kind_of, read_head

WAIT_SECONDS = 45.0
_READ_RECORDS = 2_000
_INBOX_PREFIX = inbox("")
_ACCEPTED = "accepted"
_EVENTS = {_ACCEPTED: 0, "delivered": 1, "handed-over": 2, "registered": 3}
"""What happens to deliveries in these tests, by how far it brings them; the states have the same names."""

OriginKey = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Seen:
    """A journal entry as far as it is compared.

    Attributes:
        value: digest of the whole record, by which inboxes are compared.
        head: None for a basis.
        copies: who must have it; nobody has what was refused.
        kind: of an accepted statement.
    """

    lane: int
    number: int
    previous: bytes
    digest: bytes
    value: bytes
    offset: int = -1
    statement: bytes = b""
    reason: str = ""
    head: Head | None = None
    copies: tuple[str, ...] = ()
    kind: type | None = None
    receipt: Receipt | None = None


@dataclass(slots=True)
class _Lane:
    """A lane as far as its entries are there without a gap."""

    number: int = 0
    digest: bytes = ZERO_DIGEST
    offset: int = -1
    waiting: dict[int, Seen] = field(default_factory=dict)


@dataclass(slots=True)
class _Origin:
    """An origin in the journal (`taken`, with each reason) and as its body was told (`told`)."""

    taken: list[tuple[bytes, str]] = field(default_factory=list)
    told: list[tuple[bytes, str]] = field(default_factory=list)


class Checker:
    """Follows journal, inboxes and dead letters of one exchange from the beginning to now."""

    def __init__(self, settings: KafkaSettings, bodies: Iterable[str], lanes: int, journal_partitions: int) -> None:
        """Nothing is read before `read`; `settings` are those of somebody who may read everything."""
        self._settings = settings
        self._positions: dict[tuple[str, int], Position | None] = {
            (JOURNAL, partition): None for partition in range(journal_partitions)
        }
        self._positions[DEAD_LETTERS, 0] = None
        self._positions |= {(inbox(body), 0): None for body in bodies}
        self._sequences: Positions = {(SEQUENCES, lane): None for lane in range(lanes)}
        self._lanes: defaultdict[int, _Lane] = defaultdict(_Lane)
        self._lane_of: dict[bytes, int] = {}
        self._due: defaultdict[str, defaultdict[int, deque[bytes]]] = defaultdict(lambda: defaultdict(deque))
        self._came: defaultdict[str, deque[bytes]] = defaultdict(deque)
        self._origins: defaultdict[OriginKey, _Origin] = defaultdict(_Origin)
        self._broken: list[str] = []
        self._spoilt: set[str] = set()
        self.decided: dict[bytes, Seen] = {}
        """Journal entries by statement digest."""
        self.dead: defaultdict[bytes, list[DeadLetter]] = defaultdict(list)
        """Dead letters by the digest of their bytes."""
        self.notices: defaultdict[OriginKey, list[Notice]] = defaultdict(list)
        """What each origin was told."""
        self.states: dict[tuple[bytes, str], str] = {}
        """The furthest event of every delivery of an accepted letter, by letter and recipient."""

    @property
    def journal_offsets(self) -> dict[int, int]:
        """Offset of the last record of each journal partition that has any, as of the last reading."""
        read = ((partition, position) for (topic, partition), position in self._positions.items() if topic == JOURNAL)
        return {partition: position.offset for partition, position in read if position is not None}

    def add(self, bodies: Iterable[str]) -> None:
        """Read the inboxes of more bodies, from their beginning."""
        self._positions |= {(inbox(body), 0): None for body in bodies}

    def forget(self, body: str) -> None:
        """Expect nothing of a body's inbox any more: the test will spoil it."""
        del self._positions[inbox(body), 0]
        self._spoilt.add(body)

    async def read(self) -> None:
        """Take everything that is there now."""
        async with PositionedReader(self._settings, self._positions, fetch_wait_seconds=0.2) as reader:
            ends = await reader.end_offsets()
            while not reader.reached(ends):
                self._take(await reader.read(0.5, _READ_RECORDS))

    async def until(self, done: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
        """Follow until `done`; fails when that takes longer. A broker that is away is waited for."""
        deadline = time.monotonic() + seconds
        while not done():
            try:
                async with PositionedReader(self._settings, self._positions, fetch_wait_seconds=0.2) as reader:
                    while not done():
                        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
                        self._take(await reader.read(0.2, _READ_RECORDS))
            except BusError as error:
                if not error.retriable or time.monotonic() > deadline:
                    raise

    async def until_decided(self, statements: Iterable[bytes], seconds: float = WAIT_SECONDS) -> None:
        """Follow until all statements, by digest, are in the journal, whatever the verdict."""
        missing = set(statements)

        def done() -> bool:
            missing.difference_update([one for one in missing if one in self.decided])
            return not missing

        await self.until(done, "every statement decided", seconds)

    async def check(self, seconds: float = 10.0) -> None:
        """Fail with what is wrong; markers of the last transaction may need a moment to be visible."""
        deadline = time.monotonic() + seconds
        await self.read()
        while (found := [*self._problems(), *await self._lanes_stored()]) and time.monotonic() < deadline:
            await self.read()
        assert found == []

    def _take(self, records: list[Taken]) -> None:
        for record in records:
            assert isinstance(record, Record), f"a batch of ours cannot be read: {record}"
            self._positions[record.topic, record.partition] = record.position
            value = record.value or b""
            if record.topic == JOURNAL:
                self._take_entry(value)
            elif record.topic == DEAD_LETTERS:
                dead = decode(DeadLetter, value)
                self.dead[dead.digest].append(dead)
            elif kind_of(value) is Notice:
                self._take_notice(record.topic.removeprefix(_INBOX_PREFIX), decode(Notice, value))
            else:
                self._came[record.topic.removeprefix(_INBOX_PREFIX)].append(digest(value))

    def _take_entry(self, value: bytes) -> None:
        seen = _seen(value)
        lane = self._lanes[seen.lane]
        if seen.number <= lane.number or seen.number in lane.waiting:
            self._broken.append(f"lane {seen.lane} has number {seen.number} twice")
            return
        lane.waiting[seen.number] = seen
        self._follow(seen)
        while lane.number + 1 in lane.waiting:
            self._advance(lane, lane.waiting.pop(lane.number + 1))

    def _follow(self, seen: Seen) -> None:
        """Move deliveries; here entries come in the order of the journal, not of their lane."""
        if seen.kind is Letter:
            self.states |= {(seen.statement, recipient): _ACCEPTED for recipient in seen.copies}
        elif seen.receipt is not None and seen.head is not None:
            key, event = (seen.receipt.letter, seen.head.body), seen.receipt.event
            if key in self.states and _EVENTS[event] > _EVENTS[self.states[key]]:
                self.states[key] = event

    def _advance(self, lane: _Lane, seen: Seen) -> None:
        """Rules 1 to 3, and what rules 4 and 5 will ask for."""
        self._expect(seen.previous == lane.digest, f"lane {seen.lane} is broken before number {seen.number}")
        lane.number, lane.digest = seen.number, seen.digest
        if seen.head is None:
            return
        self._expect(seen.offset > lane.offset, f"lane {seen.lane}: submission {seen.offset} after {lane.offset}")
        lane.offset = seen.offset
        self._expect(seen.statement not in self.decided, f"decided twice: {seen.statement.hex()}")
        self.decided[seen.statement] = seen
        origin = self._origins[seen.head.body, seen.head.origin].taken
        previous = origin[-1][0] if origin else ZERO_DIGEST
        follows = seen.head.number == len(origin) + 1 and seen.head.previous == previous
        self._expect(follows, f"{seen.head.body}: number {seen.head.number} after {len(origin)}")
        origin.append((seen.statement, seen.reason))
        self._lane_of[seen.value] = seen.lane
        for body in set(seen.copies) - self._spoilt:
            self._due[body][seen.lane].append(seen.value)

    def _take_notice(self, body: str, notice: Notice) -> None:
        """Rule 5, as far as a notice alone can break it."""
        self.notices[body, notice.origin].append(notice)
        told = self._origins[body, notice.origin].told
        told += [(step.digest, step.reason) for step in notice.steps]
        last = told[-1][0] if told else ZERO_DIGEST
        place = f"notice to {body}: number {notice.number} after {len(told)} steps"
        self._expect((notice.number, notice.digest) == (len(told), last), place)

    def _problems(self) -> Iterator[str]:
        yield from self._broken
        for number, lane in self._lanes.items():
            if lane.waiting:
                yield f"lane {number}: {lane.number + 1} to {min(lane.waiting) - 1} are missing"
        for body in self._came.keys() | self._due.keys():
            self._match(body)
            yield from (f"{body}: {len(due)} of lane {lane} missing" for lane, due in self._due[body].items() if due)
            if self._came[body]:
                yield f"{body}: {len(self._came[body])} records that the journal does not have"
        for (body, origin), words in self._origins.items():
            if words.taken != words.told:
                yield f"{body}/{origin.hex()}: {len(words.taken)} taken, told otherwise: {len(words.told)}"

    def _match(self, body: str) -> None:
        """Rule 4: compare what came with what was due, as far as both are known."""
        unknown: deque[bytes] = deque()
        for value in self._came[body]:
            lane = self._lane_of.get(value)
            if lane is None:
                unknown.append(value)
                continue
            due = self._due[body][lane]
            self._expect(bool(due) and due[0] == value, f"{body}: a record of lane {lane} doubled or out of order")
            if value in due:
                due.remove(value)
        self._came[body] = unknown

    async def _lanes_stored(self) -> list[str]:
        """Rule 6."""
        stored: dict[int, LaneState] = {}
        async with PositionedReader(self._settings, self._sequences, fetch_wait_seconds=0.2) as reader:
            ends = await reader.end_offsets()
            while not reader.reached(ends):
                for record in await reader.read(0.5, _READ_RECORDS):
                    if isinstance(record, Record) and (record.key or b"").startswith(b"@"):
                        stored[record.partition] = decode(LaneState, record.value or b"")
        ended = {number: (lane.number, lane.digest) for number, lane in self._lanes.items()}
        kept = {number: (state.number, state.digest) for number, state in stored.items() if number in ended}
        return [] if ended == kept else [f"lanes ended with {ended}, stored is {kept}"]

    def _expect(self, holds: bool, otherwise: str) -> None:  # noqa: FBT001
        if not holds:
            self._broken.append(otherwise)


def _seen(value: bytes) -> Seen:
    entry = decode(Journalled, value).entry
    if kind_of(entry) is Basis:
        place = decode(Basis, entry).place
        return Seen(place.lane, place.number, place.previous, digest(entry), digest(value))
    decided = decode(Decided, entry)
    decision = decided.decision
    kind = None if decision.reason else kind_of(decided.statement)
    return Seen(
        decision.place.lane,
        decision.place.number,
        decision.place.previous,
        digest(entry),
        digest(value),
        decision.offset,
        digest(decided.statement),
        decision.reason,
        read_head(decided.statement),
        () if decision.reason else decision.recipients,
        kind,
        decode(Receipt, decided.statement) if kind is Receipt else None,
    )
