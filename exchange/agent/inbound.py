"""From the inboxes into the spool: verified, each record once, with the position in the same transaction.

One reader serves all bodies of the process. What fails verification is kept, flagged and logged
with its code, and never handed over; the rest goes on. A letter that arrives drafts its `delivered`
receipt in the transaction that keeps it.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from exchange.agent.arrivals import Arrival, verify
from exchange.agent.chain import Heard, Identity
from exchange.agent.errors import ArrivalFlagged, may_pass, want_of_memory_named
from exchange.agent.keeping import Keeping
from exchange.agent.office import Office, Wake
from exchange.agent.outbound import CLOCK, Outbound
from exchange.agent.spool import incoming
from exchange.agent.status import Waits
from exchange.agent.tracing import tell_taken
from exchange.agent.transport import Inboxes, Partition, Transport
from exchange.bus.records import PoisonedBatch, Position, Taken
from exchange.bus.topics import inbox
from exchange.domain.decision import Notice
from exchange.domain.errors import BusError, ExchangeError, WireError
from exchange.wire.records import decode, kind_of

log = logging.getLogger(__name__)

PART = "inbound"
CLOCKS_AGREE = timedelta(minutes=5)
"""A record read so soon after it was written shows that our clock is right."""
READ_SECONDS = 5.0
READ_RECORDS = 200
"""In memory at once, decoded; in bytes the reader bounds them."""

Finding = Notice | Arrival | ArrivalFlagged


@dataclass(frozen=True, slots=True)
class Reading:
    """A body whose inbox is read; `arrived` is called when there is something to hand over."""

    identity: Identity
    waits: Waits
    arrived: Wake


class Inbound:
    """Reads all inboxes; `run` is its task."""

    def __init__(self, office: Office, outbound: Outbound) -> None:
        """`outbound` is told what notices say, and which inboxes were read to their end."""
        self._office = office
        self._outbound = outbound
        self._keeping = Keeping(office)
        self._wanted: dict[str, Reading] = {}
        self._readings: dict[str, Reading] = {}
        self._ends: dict[Partition, int] = {}
        self._look_again = 0.0

    def add(self, reading: Reading) -> None:
        """Read a body's inbox within seconds; it must be enrolled in the spool."""
        self._wanted[inbox(reading.identity.body)] = reading

    def drop(self, body: str) -> None:
        """Read a body's inbox no longer."""
        self._wanted.pop(inbox(body), None)

    async def run(self, transport: Transport) -> None:
        """Read until cancelled; what may pass by itself is waited out.

        Raises:
            PositionLost: a topic is not the one that was read: a person must find out why.
            SpoolError: the spool is damaged.
        """
        attempts = 0
        while True:
            try:
                with want_of_memory_named():
                    async with transport.inboxes({}) as inboxes:
                        self._readings, self._ends, self._look_again = {}, {}, 0.0
                        await self._meet(inboxes)
                        attempts = 0
                        await self._read(inboxes)
            except ExchangeError as error:
                if not may_pass(error):
                    raise
                attempts += 1
                self._all_wait(error)
            await asyncio.sleep(self._office.timing.backoff(attempts))

    async def _read(self, inboxes: Inboxes) -> None:
        """Take records as they come."""
        failures = 0
        while True:
            await self._meet(inboxes)
            before = inboxes.next_offsets()
            if not before:
                await asyncio.sleep(self._office.timing.backoff(1))
                continue
            try:
                records = await inboxes.read(READ_SECONDS, READ_RECORDS)
            except BusError as error:
                failures += 1
                if not may_pass(error) or failures > self._office.timing.read_again:
                    raise
                self._all_wait(error)
                await asyncio.sleep(self._office.timing.backoff(failures))
                continue
            failures = 0
            behind = inboxes.next_offsets()
            # Markers of transactions move it without any record.
            if moved := {partition: offset for partition, offset in behind.items() if offset != before[partition]}:
                await self._take(records, moved)
            now = self._office.clock()
            for reading in self._readings.values():
                reading.waits.over(PART)
                reading.waits.last_seen = now
            self._note_reached(inboxes)

    async def _meet(self, inboxes: Inboxes) -> None:
        """Read those that came, and no longer those that left."""
        gone = {topic for topic, reading in self._readings.items() if self._wanted.get(topic) is not reading}
        if gone:
            inboxes.drop([(topic, 0) for topic in gone])
            self._ends = {partition: end for partition, end in self._ends.items() if partition[0] not in gone}
            self._readings = {topic: reading for topic, reading in self._readings.items() if topic not in gone}
        come = sorted(self._wanted.keys() - self._readings.keys())
        if come and self._office.monotonic() >= self._look_again:
            self._look_again = self._office.monotonic() + self._office.timing.retry_at_most
            await self._begin(inboxes, come)
            self._note_reached(inboxes)

    async def _begin(self, inboxes: Inboxes, topics: Sequence[str]) -> None:
        """Read some inboxes up to where they end now first of all (rule 2.5).

        One that is not there yet, or not ours to read, must not keep the others waiting: it is found by halving.
        """
        readings = {topic: self._wanted[topic] for topic in topics if topic in self._wanted}
        positions = await self._positions([reading.identity.body for reading in readings.values()])
        try:
            await inboxes.add(positions)
        except BusError as error:
            if error.code not in {"topic-missing", "access-denied"}:
                raise
            if len(topics) > 1:
                half = len(topics) // 2
                await self._begin(inboxes, topics[:half])
                await self._begin(inboxes, topics[half:])
                return
            for reading in readings.values():
                reading.waits.on(PART, error.code, str(error), self._office.clock())
            return
        ends = await inboxes.end_offsets()
        self._readings |= readings
        self._ends |= {partition: ends[partition] for partition in positions}

    async def _positions(self, bodies: Sequence[str]) -> dict[Partition, Position | None]:
        kept = await self._office.spool.run(lambda connection: incoming.positions(connection, bodies))
        return {
            (inbox(body), 0): None if position is None else Position(position.offset, position.digest, position.reached)
            for body, position in kept.items()
        }

    def _note_reached(self, inboxes: Inboxes) -> None:
        """Tell who was read to its end and may sign."""
        for partition, end in sorted(self._ends.items()):
            if inboxes.reached({partition: end}):
                del self._ends[partition]
                self._outbound.ready(self._readings[partition[0]].identity.body)

    async def _take(self, records: Sequence[Taken], moved: Mapping[Partition, int]) -> None:
        began = self._office.clock()
        findings = await asyncio.to_thread(lambda: [self._examine(record) for record in records])
        taken = list(zip(records, findings, strict=True))
        heard = await self._office.spool.run(lambda connection: self._keep(connection, taken, moved))
        if self._office.traces is not None:
            bodies = {topic: reading.identity.body for topic, reading in self._readings.items()}
            tell_taken(self._office.traces, bodies, taken, (began, self._office.clock()))
        for body, words in heard:
            self._outbound.heard(body, words)
        for topic, newest in {record.topic: record.timestamp for record in records}.items():
            self._readings[topic].arrived()
            if abs(self._office.clock() - newest) < CLOCKS_AGREE:
                self._readings[topic].waits.over(CLOCK)
        self._outbound.wake()

    def _examine(self, record: Taken) -> Finding:
        """What a record is; pure, in a thread."""
        body = self._readings[record.topic].identity.body
        if isinstance(record, PoisonedBatch):
            return ArrivalFlagged(record.reason, code="batch-refused")
        value = record.value or b""
        try:
            if kind_of(value) is Notice:
                return decode(Notice, value)
            return verify(value, body, self._office.history.at)
        except WireError as error:
            return ArrivalFlagged(str(error), code=error.code)
        except ArrivalFlagged as flagged:
            return flagged

    def _keep(
        self,
        connection: sqlite3.Connection,
        taken: Sequence[tuple[Taken, Finding]],
        moved: Mapping[Partition, int],
    ) -> list[tuple[str, Heard]]:
        """In one transaction: what the records brought, that they are read, and where to read on."""
        heard = []
        for record, finding in taken:
            identity = self._readings[record.topic].identity
            if isinstance(finding, Notice):
                words = identity.hear(connection, finding)
                if words is not None:
                    heard.append((identity.body, words))
            else:
                self._keeping.keep(connection, identity.body, record, finding)
            position = record.position
            incoming.move(connection, identity.body, position.offset, position.digest)
        for (topic, _), offset in moved.items():
            incoming.reach(connection, self._readings[topic].identity.body, offset)
        return heard

    def _all_wait(self, error: ExchangeError) -> None:
        now = self._office.clock()
        for reading in self._wanted.values():
            reading.waits.on(PART, error.code, str(error), now)
        log.warning("reading inboxes waits: %s (%s)", error, error.code)
