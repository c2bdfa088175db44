"""Reads what an exchange writes to Kafka, from the beginning to now, and checks it on the way."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from exchange.bus.connection import KafkaSettings
from exchange.bus.reader import PositionedReader, Positions
from exchange.bus.records import Position, Record, Taken
from exchange.bus.topics import DEAD_LETTERS, INBOXES, JOURNAL, SEQUENCES, inbox
from exchange.domain.decision import DeadLetter, LaneState, Notice, OriginState
from exchange.domain.errors import BusError
from exchange.wire.records import decode
from tests.checker.databases import read_spool, read_tracker
from tests.checker.observations import Entry, InboxRecord, Observations, OriginKey, Said
from tests.checker.records import read_entry, read_inbox_record
from tests.checker.rules import violations
from tests.patience import PATIENCE

SHOWN = 20
"""Violations in an error's text at most."""
_READ_RECORDS = 2_000


class Checker:
    """Follows journal, inboxes and dead letters of one exchange."""

    def __init__(self, settings: KafkaSettings, bodies: Iterable[str], lanes: int, journal_partitions: int) -> None:
        """Nothing is read before `read`; `settings` are those of somebody who may read everything."""
        self._settings = settings
        self._positions: dict[tuple[str, int], Position | None] = {
            (JOURNAL, partition): None for partition in range(journal_partitions)
        }
        self._positions[DEAD_LETTERS, 0] = None
        self._sequences: Positions = {(SEQUENCES, lane): None for lane in range(lanes + 1)}
        self._entries: list[Entry] = []
        self._inboxes: dict[str, list[InboxRecord]] = {}
        self._spoilt: set[str] = set()
        self.decided: dict[bytes, Said] = {}
        """What was decided, by statement digest."""
        self.dead: defaultdict[bytes, list[DeadLetter]] = defaultdict(list)
        """Dead letters by the digest of their bytes."""
        self.notices: defaultdict[OriginKey, list[Notice]] = defaultdict(list)
        """What each origin was told."""
        self.add(bodies)

    @property
    def journal_offsets(self) -> dict[int, int]:
        """Offset of the last record of each journal partition that has any, as of the last reading."""
        read = ((partition, position) for (topic, partition), position in self._positions.items() if topic == JOURNAL)
        return {partition: position.offset for partition, position in read if position is not None}

    def add(self, bodies: Iterable[str]) -> None:
        """Read the inboxes of more bodies, from their beginning."""
        for body in bodies:
            self._positions[inbox(body), 0] = None
            self._inboxes[body] = []

    def forget(self, body: str) -> None:
        """Expect nothing of a body's inbox any more: the test will spoil it."""
        del self._positions[inbox(body), 0]
        self._spoilt.add(body)

    async def read(self) -> int:
        """Take everything that is there now; the number of records."""
        count = 0
        async with PositionedReader(self._settings, self._positions, fetch_wait_seconds=0.2) as reader:
            ends = await reader.end_offsets()
            while not reader.reached(ends):
                records = await reader.read(0.5, _READ_RECORDS)
                self._take(records)
                count += len(records)
        return count

    async def until(self, done: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
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

    async def until_decided(self, statements: Iterable[bytes], seconds: float = PATIENCE) -> None:
        """Follow until all statements, by digest, are in the journal, whatever the verdict."""
        missing = set(statements)

        def done() -> bool:
            missing.difference_update([one for one in missing if one in self.decided])
            return not missing

        await self.until(done, "every statement decided", seconds)

    async def observations(self) -> Observations:
        """What Kafka holds: what routers have stored by now, then what is there to be read."""
        lanes, origins = await self._stored()
        await self.read()
        return Observations(
            entries=self._entries,
            inboxes=self._inboxes,
            spoilt=frozenset(self._spoilt),
            dead=[dead for several in self.dead.values() for dead in several],
            lanes=lanes,
            origins=origins,
        )

    async def check(
        self, spools: Mapping[str, Path] = MappingProxyType({}), tracker: str = "", seconds: float = PATIENCE
    ) -> None:
        """Fail with what is wrong; markers of the last transaction may need a moment to be visible.

        Args:
            spools: files of agents' spools by body: what they hold is checked, too.
            tracker: URL of a tracker's database, which is checked then, too.
            seconds: that moment at most.
        """
        deadline = time.monotonic() + seconds
        while True:
            kept = {body: await asyncio.to_thread(read_spool, path, body) for body, path in spools.items()}
            shown = await asyncio.to_thread(read_tracker, tracker) if tracker else None
            await self.read()
            found = violations(replace(await self.observations(), spools=kept, tracker=shown))
            if not found or time.monotonic() > deadline:
                break
        assert found == [], "\n".join(map(str, found[:SHOWN]))

    def _take(self, records: list[Taken]) -> None:
        for record in records:
            assert isinstance(record, Record), f"a batch of ours cannot be read: {record}"
            self._positions[record.topic, record.partition] = record.position
            if record.topic == JOURNAL:
                self._take_entry(read_entry(record))
            elif record.topic == DEAD_LETTERS:
                dead = decode(DeadLetter, record.value or b"")
                self.dead[dead.digest].append(dead)
            else:
                self._take_arrival(record.topic.removeprefix(INBOXES), read_inbox_record(record))

    def _take_entry(self, entry: Entry) -> None:
        self._entries.append(entry)
        if entry.said is not None:
            self.decided[entry.said.statement] = entry.said

    def _take_arrival(self, body: str, record: InboxRecord) -> None:
        self._inboxes[body].append(record)
        if record.notice is not None:
            self.notices[body, record.notice.origin].append(record.notice)

    async def _stored(self) -> tuple[dict[int, LaneState], dict[OriginKey, OriginState]]:
        """What routers keep for their successors."""
        stored: dict[bytes, bytes] = {}
        async with PositionedReader(self._settings, self._sequences, fetch_wait_seconds=0.2) as reader:
            ends = await reader.end_offsets()
            while not reader.reached(ends):
                for record in await reader.read(0.5, _READ_RECORDS):
                    if isinstance(record, Record):
                        stored[record.key or b""] = record.value or b""
        lanes, origins = {}, {}
        for key, value in stored.items():
            name, _, origin = key.decode().partition("/")
            if name.startswith("@"):
                lanes[int(name[1:])] = decode(LaneState, value)
            else:
                origins[name, bytes.fromhex(origin)] = decode(OriginState, value)
        return lanes, origins
