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

from exchange.agent.arrivals import Arrival, LetterArrival, ReceiptArrival, verify
from exchange.agent.chain import Heard, Identity
from exchange.agent.drafts import Words, own_receipt_key
from exchange.agent.errors import ArrivalFlagged, may_pass, want_of_memory_named
from exchange.agent.office import Office, Wake
from exchange.agent.outbound import CLOCK, Outbound
from exchange.agent.spool import incoming, outgoing
from exchange.agent.spool.incoming import ArrivalKind, Arrived, Flagged
from exchange.agent.status import Waits
from exchange.agent.transport import Inboxes, Partition, Transport
from exchange.bus.records import PoisonedBatch, Position, Taken
from exchange.bus.topics import inbox
from exchange.domain.decision import Notice
from exchange.domain.errors import ExchangeError, WireError
from exchange.domain.event import Event
from exchange.domain.statement import Letter, Signed
from exchange.journal.addressing import names
from exchange.wire.records import decode, kind_of

log = logging.getLogger(__name__)

PART = "inbound"
CLOCKS_AGREE = timedelta(minutes=5)
"""A record read so soon after it was written shows that our clock is right."""
READ_SECONDS = 5.0
READ_RECORDS = 200
"""In memory at once, decoded; in bytes the reader bounds them."""

FLAGGED_BYTES = 1024

Finding = Notice | Arrival | ArrivalFlagged


@dataclass(frozen=True, slots=True)
class Reading:
    """A body whose inbox is read; `arrived` is called when there is something to hand over."""

    identity: Identity
    waits: Waits
    arrived: Wake


class Inbound:
    """Reads all inboxes; `run` is its task."""

    def __init__(self, office: Office, readings: Mapping[str, Reading], outbound: Outbound) -> None:
        """`outbound` is told what notices say, and which inboxes were read to their end."""
        self._office = office
        self._readings = {inbox(body): reading for body, reading in readings.items()}
        self._outbound = outbound
        self._behind = set(self._readings)

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
                    async with transport.inboxes(await self._positions()) as inboxes:
                        attempts = 0
                        await self._read(inboxes)
            except ExchangeError as error:
                if not may_pass(error):
                    raise
                attempts += 1
                self._all_wait(error)
            await asyncio.sleep(self._office.timing.backoff(attempts))

    async def _positions(self) -> dict[Partition, Position | None]:
        bodies = [reading.identity.body for reading in self._readings.values()]
        kept = await self._office.spool.run(lambda connection: incoming.positions(connection, bodies))
        return {
            (inbox(body), 0): None if position is None else Position(position.offset, position.digest, position.reached)
            for body, position in kept.items()
        }

    async def _read(self, inboxes: Inboxes) -> None:
        """Take records as they come; first of all up to where the inboxes end now (rule 2.5)."""
        ends = await inboxes.end_offsets()
        self._note_reached(inboxes, ends)
        before = inboxes.next_offsets()
        while True:
            records = await inboxes.read(READ_SECONDS, READ_RECORDS)
            behind = inboxes.next_offsets()
            # Markers of transactions move it without any record.
            if moved := {partition: offset for partition, offset in behind.items() if offset != before[partition]}:
                await self._take(records, moved)
                before = behind
            now = self._office.clock()
            for reading in self._readings.values():
                reading.waits.over(PART)
                reading.waits.last_seen = now
            self._note_reached(inboxes, ends)

    def _note_reached(self, inboxes: Inboxes, ends: Mapping[Partition, int]) -> None:
        for topic in sorted(self._behind):
            if inboxes.reached({(topic, 0): ends[topic, 0]}):
                self._behind.discard(topic)
                self._outbound.ready(self._readings[topic].identity.body)

    async def _take(self, records: Sequence[Taken], moved: Mapping[Partition, int]) -> None:
        findings = await asyncio.to_thread(lambda: [self._examine(record) for record in records])
        taken = list(zip(records, findings, strict=True))
        heard = await self._office.spool.run(lambda connection: self._keep(connection, taken, moved))
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
                self._keep_arrival(connection, identity.body, record, finding)
            position = record.position
            incoming.move(connection, identity.body, position.offset, position.digest)
        for (topic, _), offset in moved.items():
            incoming.reach(connection, self._readings[topic].identity.body, offset)
        return heard

    def _keep_arrival(
        self, connection: sqlite3.Connection, body: str, record: Taken, finding: Arrival | ArrivalFlagged
    ) -> None:
        value = b"" if isinstance(record, PoisonedBatch) else record.value or b""
        if isinstance(finding, LetterArrival):
            new = self._keep_letter(connection, body, value, finding)
        elif isinstance(finding, ReceiptArrival):
            row = self._addressed(connection, body, finding)
            if row is None:
                message = "letter: the receipt's signer is no recipient of a letter of ours with that digest"
                finding = ArrivalFlagged(message, code="receipt-not-addressed")
            else:
                new = self._keep_receipt(connection, body, value, finding, row)
        if isinstance(finding, ArrivalFlagged):
            now = self._office.clock()
            incoming.flag(
                connection, Flagged(body, record.offset, finding.code, str(finding), now, value[:FLAGGED_BYTES])
            )
            self._office.counters.add("agent_flagged_total", body=body, reason=finding.code)
            log.warning("%s: inbox record %d is flagged: %s (%s)", body, record.offset, finding.code, finding)
            return
        kind = "letter" if isinstance(finding, LetterArrival) else "receipt"
        self._office.counters.add("agent_arrived_total" if new else "duplicates_total", body=body, kind=kind)

    def _keep_letter(self, connection: sqlite3.Connection, body: str, value: bytes, arrival: LetterArrival) -> bool:
        """Keep the letter with its `delivered` receipt; whether it is new."""
        now, letter = self._office.clock(), arrival.letter
        new = incoming.keep(
            connection,
            Arrived(
                body=body,
                kind=ArrivalKind.LETTER,
                digest=arrival.digest,
                sender=letter.head.body,
                received=now,
                record=value,
                message_id=letter.message_id,
                document_id=arrival.card.document_id,
                reg_number=arrival.card.reg_number,
            ),
        )
        if new:
            words = Words(arrival.digest, letter.head.body, Event.DELIVERED, now)
            key = own_receipt_key(Event.DELIVERED, arrival.digest)
            outgoing.add(connection, self._office.drafting.receipt(body, words, key))
        return new

    def _addressed(self, connection: sqlite3.Connection, body: str, arrival: ReceiptArrival) -> int | None:
        """Our letter that the receipt is about, when it went to the receipt's signer (rule 4.1)."""
        row = outgoing.letter_said(connection, body, arrival.receipt.letter)
        if row is None:
            return None
        _, record = outgoing.record_of(connection, row)
        letter = decode(Letter, decode(Signed, record).statement)
        versions = self._office.history
        return row if names(letter, arrival.receipt.head.body, lambda number: versions.at(number).directory) else None

    def _keep_receipt(
        self, connection: sqlite3.Connection, body: str, value: bytes, arrival: ReceiptArrival, row: int
    ) -> bool:
        receipt = arrival.receipt
        return incoming.keep(
            connection,
            Arrived(
                body=body,
                kind=ArrivalKind.RECEIPT,
                digest=arrival.digest,
                sender=receipt.head.body,
                received=self._office.clock(),
                record=value,
                outgoing=row,
            ),
        )

    def _all_wait(self, error: ExchangeError) -> None:
        now = self._office.clock()
        for reading in self._readings.values():
            reading.waits.on(PART, error.code, str(error), now)
        log.warning("reading inboxes waits: %s (%s)", error, error.code)
